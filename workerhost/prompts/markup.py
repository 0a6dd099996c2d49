"""HTML in a text: what stands between the tags that a person sees, and where they lead."""

from __future__ import annotations

import re

_NAME = r"[A-Za-z][A-Za-z0-9-]*"
_VALUE = r"""(?:[^\s"'=<>`]+|'[^']*'|"[^"]*")"""
_ATTRIBUTES = rf"(?:\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*{_VALUE})?)*"
_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)"  # one that is not closed hides all that follows
    r"|<\?.*?(?:\?>|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<![A-Za-z].*?(?:>|\Z)"
    rf"|<(?P<open>{_NAME})(?P<attributes>{_ATTRIBUTES})\s*/?>|</(?P<close>{_NAME})\s*>",
    re.DOTALL,
)
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TARGET = re.compile(rf"\b(?:src|href)\s*=\s*({_VALUE})", re.IGNORECASE)
_UNSEEN = re.compile(
    r"\shidden(?:[\s=]|\Z)"
    r"|display\s*:\s*none|visibility\s*:\s*hidden|(?:opacity|font-size)\s*:\s*0(?![.\d]*[1-9])",
    re.IGNORECASE,
)
_NEVER = frozenset(  # elements whose content no browser shows, or only one that is very old
    {"rp", "script", "style", "template", "noscript", "video", "audio", "object", "iframe"}
)
_VOID = frozenset({"br", "hr", "img", "input", "source", "wbr", "col", "area", "embed", "meta"})


class Markup:
    """Piece by piece, in order: an element may hide what follows in other pieces."""

    def __init__(self) -> None:
        self._unseen: list[str] = []  # open elements since the one that hides its content

    def seen(self, text: str) -> str:
        return "" if self._unseen else text

    def html(self, source: str) -> str:
        """What stands between the tags, and where they lead."""
        out, at = "", 0
        for found in _MARKUP.finditer(source):
            out += self.seen(source[at : found.start()])
            at = found.end()
            out += self._tag(found)
        return out + self.seen(source[at:])

    def _tag(self, found: re.Match[str]) -> str:
        if found["close"]:
            name = found["close"].lower()
            if name in self._unseen:
                while self._unseen.pop() != name:
                    pass
            return ""
        if not found["open"]:
            return ""
        name, attributes = found["open"].lower(), found["attributes"]
        nests = name not in _VOID  # HTML takes <b/> for <b>
        if nests and (self._unseen or name in _NEVER or _UNSEEN.search(attributes)):
            self._unseen.append(name)
        target = _TARGET.search(attributes)
        return self.seen(f"<{target[1].strip(chr(34) + chr(39))}> ") if target else ""
