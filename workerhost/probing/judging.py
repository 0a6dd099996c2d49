"""What the probe's scripts print, and what it means."""

from __future__ import annotations

HELD = "held"
SECONDS = 60  # a busy machine starts claude in ten


def judge(who: str, out: str, err: str) -> str:
    """What `who` reached, or why that is not known; empty when the walls held."""
    lines = out.split("\n")
    reached = [line for line in lines if line.startswith("reached ")]
    if reached:
        return f"{who} {reached[0][:300]}"
    if HELD not in lines:
        return f"the probe could not run: {who} said {(err or out).strip()[-300:]!r}"
    return ""
