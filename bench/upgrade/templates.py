"""Texts in which what is another one each time they are restored has a name.

`<<folder>>`, `<<boot>>`; `<<ms -1500>>`, `<<s -1.5 3>>`, `<<iso -1.5 3>>`: a moment so long after
the recording, as the epoch's milliseconds, as its seconds with so many digits behind the point, and
as ISO 8601 up to the zone; `<<up -1.5>>`: the same on the machine's own clock. A moment takes as
many letters as it took: streams count the bytes of logs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_WINDOW = 40 * 24 * 3600.0  # seconds around the recording: other numbers are no moments
_ISO = re.compile(r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{3,6}))?(?=Z|[+-]\d\d:\d\d)")
_NUMBER = re.compile(r"(?<![\w.])(\d{10}|\d{13})(?:\.(\d+))?(?![\w.])")
_BEGAN = re.compile(r'("began": )([\d.]+)')
_HIDDEN = re.compile(r"(^|/)\.")
_MARK = re.compile(r"<<(\w+)(?: (-?[\d.]+))?(?: (\d+))?>>")


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when, of the recording or the restoring."""

    folder: Path
    at: float = field(
        default_factory=lambda: round(time.time(), 3)
    )  # since the epoch; Redis has ms
    up: float = field(default_factory=time.monotonic)

    def name(self, path: str) -> str:
        """Of a file; claude makes names of folders. None is hidden, or a rule for who looks on."""
        return _HIDDEN.sub(r"\1DOT", path.replace(self._mangled, "FOLDER"))

    def named(self, path: str) -> str:
        return path.replace("DOT", ".").replace("FOLDER", self._mangled)

    @property
    def _mangled(self) -> str:
        return re.sub(r"[^A-Za-z0-9]", "-", str(self.folder))

    def frozen(self, text: str) -> str:
        text = text.replace(str(self.folder), "<<folder>>").replace(_boot(), "<<boot>>")
        text = _BEGAN.sub(lambda one: f"{one[1]}<<up {float(one[2]) - self.up:.6f}>>", text)
        return _NUMBER.sub(self._number, _ISO.sub(self._iso, text))

    def restored(self, text: str) -> str:
        return _MARK.sub(self._mark, text)

    def _iso(self, found: re.Match[str]) -> str:
        parts = found[2] or ""
        moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
        after = moment + float(f"0.{parts or 0}") - self.at
        return f"<<iso {after:.6f} {len(parts)}>>" if abs(after) < _WINDOW else found[0]

    def _number(self, found: re.Match[str]) -> str:
        digits, parts = found[1], found[2] or ""
        if len(digits) == 13:
            after = int(digits) - round(self.at * 1000)
            return f"<<ms {after}>>" if not parts and abs(after) < _WINDOW * 1000 else found[0]
        seconds = float(f"{digits}.{parts or 0}") - self.at
        return f"<<s {seconds:.6f} {len(parts)}>>" if abs(seconds) < _WINDOW else found[0]

    def _mark(self, found: re.Match[str]) -> str:
        after, digits = float(found[2] or 0), int(found[3] or 0)
        known: dict[str, Callable[[], str]] = {
            "folder": lambda: str(self.folder),
            "boot": _boot,
            "up": lambda: str(self.up + after),
            "ms": lambda: str(round(self.at * 1000) + int(after)),
            "s": lambda: f"{self.at + after:.{digits}f}",
            "iso": lambda: self._as_iso(after, digits),
        }
        return known[found[1]]() if found[1] in known else found[0]

    def _as_iso(self, after: float, digits: int) -> str:
        moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=self.at + after)
        parts = f".{moment.microsecond:06d}"[: digits + 1] if digits else ""
        return f"{moment:%Y-%m-%dT%H:%M:%S}{parts}"


def _boot() -> str:
    return _BOOT.read_text().strip()
