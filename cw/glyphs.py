"""Characters that nobody sees: zero width, direction marks, tags, controls, fillers."""

from __future__ import annotations

import html
import re
import unicodedata

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# No shape, though Unicode does not call them format characters.
_SHAPELESS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\ufff0-\ufff8\U000e0000-\U000e0fff]"
)


def shown(text: str) -> str:
    """Without the characters that nobody sees, also when they are written as entities."""
    return "".join(char for char in _ENTITY.sub(_entity, text) if _has_shape(char))


def _entity(found: re.Match[str]) -> str:
    meant = html.unescape(found[0])
    return found[0] if any(_has_shape(char) for char in meant) else ""


def _has_shape(char: str) -> bool:
    if char in "\n\t":
        return True
    return unicodedata.category(char) not in {"Cf", "Cc", "Cs"} and not _SHAPELESS.match(char)
