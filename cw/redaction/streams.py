"""Files of any size without their secrets, a window at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from cw.redaction.redact import Redactor

_WINDOW = 1 << 18  # bytes
_OVERLAP = 1 << 15  # no secret is written longer, but for a private key in plain text
_LONGEST = 1 << 20  # of such a key, with whatever stands in it


def copy_blotted(
    source: IO[bytes], clean: Redactor, write: Callable[[bytes], object], most: int
) -> bool:
    """At most that many bytes, each at its own place. Returns whether a secret was among them."""
    changed, kept, left = False, b"", most
    while True:
        part = source.read(min(_WINDOW, left))
        left -= len(part)
        text = kept + part
        # What is kept is looked at again with what follows: a secret may lie across the end.
        wanted = max(0, len(text) - _OVERLAP) if part else len(text)
        shown, cut = clean.part(text, wanted)
        if len(text) - cut > _LONGEST:
            shown = clean.same_length(text)
            cut = len(text)
        changed = changed or shown != text[:cut]
        write(shown)
        kept = text[cut:]
        if not part:
            return changed
