"""Whether a style makes an element invisible, however it is written.

GitHub takes styles off what it shows. So such text is on the page and reaches no prompt: whoever
hides it there had a reason.
"""

from __future__ import annotations

import re

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|\n|(.))", re.DOTALL)
_AROUND = re.compile(r" ?([:;{}!(,/]) ?")
_NOTHING = r"[+-]?(?:0+\.?0*|\.0+)(?:e[+-]?\d+)?(?:[a-z%]+)?(?:!important)?(?![\w.])"
_UNSEEN = re.compile(  # without blanks
    r"(?:^|[;{])(?:"
    r"display:none|(?:content-)?visibility:(?:hidden|collapse)"
    rf"|(?:opacity|zoom|scale|(?:max-)?(?:width|height)|font-size):{_NOTHING}"
    rf"|font:(?:[a-z]+ )*{_NOTHING}"
    r"|(?:color|-webkit-text-fill-color):transparent"
    r"|transform:[^;]*scale[xy]?\(0"
    r"|(?:text-indent|left|top|right|bottom|margin(?:-[a-z]+)?):-\d{3}"
    r"|clip(?:-path)?:"
    r")",
    re.IGNORECASE,
)
_LONGEST = 2000  # characters; whoever writes more has something to hide


def unseen(style: str) -> bool:
    if len(style) > _LONGEST:
        return True
    plain = _ESCAPE.sub(_meant, _COMMENT.sub("", style))
    return bool(_UNSEEN.search(_AROUND.sub(r"\1", " ".join(plain.split()))))


def _meant(found: re.Match[str]) -> str:
    if found[1]:
        code = int(found[1], 16)
        return chr(code) if 0 < code < 0x110000 else "\ufffd"
    return found[2] or ""
