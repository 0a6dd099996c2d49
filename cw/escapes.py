"""What a terminal obeys, and where it is left out of others' text."""

from __future__ import annotations

import re

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, clear
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]).*?(?:\x07|\x1b\\|\x9c|$)"  # OSC and other strings
    r"|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)
# What is left of C0 and C1, and the marks that make text read in another order than it is.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def escape_control(text: str) -> str:
    """Text of an agent or an issue without anything a terminal would obey. Keeps line breaks."""
    return CONTROLS.sub("", _ESCAPES.sub("", text))
