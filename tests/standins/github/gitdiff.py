"""Where a line is: in the change that a pull request is, and after a push."""

import re
from pathlib import Path

from .gitrepo import git

_HUNK = re.compile(r"^@@ -(?P<old>\d+)(?:,(?P<gone>\d+))? \+(?P<new>\d+)(?:,(?P<come>\d+))? @@")


def hunk(path: Path, base: str, tip: str, name: str, line: int) -> str:
    """Of the change, up to a line of the file after it; empty when that is in none."""
    kept: list[str] = []
    at = 0
    for text in git(path, "diff", f"{base}...{tip}", "--", name).splitlines():
        if found := _HUNK.match(text):
            kept, at = [text], int(found["new"]) - 1
        elif kept:
            kept.append(text)
            at += not text.startswith("-")
            if at == line and not text.startswith("-"):
                return "\n".join(kept)
    return ""


def moved_line(path: Path, old: str, new: str, name: str, line: int) -> int | None:
    """Where a line of a file is in another commit; None: it was changed."""
    by = 0
    for text in git(path, "diff", "-U0", old, new, "--", name).splitlines():
        found = _HUNK.match(text)
        if not found:
            continue
        begin, gone = int(found["old"]), int(found["gone"] or 1)
        if begin <= line < begin + gone:
            return None
        if begin < line:
            by += int(found["come"] or 1) - gone
    return line + by
