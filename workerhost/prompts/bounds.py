"""How much of a document's HTML is read: a tree can be larger than what it is made from.

Browsers open formatting elements again after each block that ended without them, and at the end tag
of such a one look at all elements that are open. With justhtml 3.16, 60 kB of either took a minute.
"""

from __future__ import annotations

import re

_FEW = 300  # tags; as many are harmless however they stand
_MANY = 12_000
_DEEP = 60  # elements within each other
_CROSSED = 20  # elements that are ended by the end of another one
_TAG = re.compile(r"</?[A-Za-z]")
_FORMAT = re.compile(
    r"<(/?)(?=(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/>])", re.IGNORECASE
)
_HIDING = re.compile(r"hidden|style|popover", re.IGNORECASE)
# Where justhtml's `stream`, which only counts here, reads otherwise than its parser (measured with
# html5lib-tests and at random): equals signs without a name, and what is no HTML within HTML.
_UNLIKE = re.compile(r"""[\s/"'=]=|<(?:svg|math)\b""", re.IGNORECASE)
_ENDED_BY_OTHERS = frozenset(
    {"p", "li", "dt", "dd", "tr", "td", "th", "tbody", "option", "rp", "rt"}
)
_VOID = frozenset(
    {
        *("area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "image"),
        *("img", "input", "keygen", "link", "meta", "param", "source", "track", "wbr"),
    }
)


def readable(html: str) -> tuple[str, bool]:
    """What is read of it, and whether that is all."""
    tags = [found.start() for found in _TAG.finditer(html)]
    if len(tags) <= _FEW:
        return html, True
    most = _MANY
    if _HIDING.search(html):
        most = _FEW if _UNLIKE.search(html) else max(_FEW, _harmless(html))
    # There are no fewer of what looks like a tag than there are tags.
    end = tags[most] if most < len(tags) else len(html)
    if most == _MANY:  # no element but by its name hides anything: formatting is of no interest
        return _FORMAT.sub(r"<\1x-", html[:end]), end == len(html)
    return html[:end], end == len(html)


def _harmless(html: str) -> int:
    """How many tags stand before they are too deep or too crossed."""
    from justhtml import stream

    opened: list[str] = []
    count = crossed = 0
    for event in stream(html):
        if event[0] == "start":
            count += 1
            name = event[1][0]
            if name not in _VOID and name not in _ENDED_BY_OTHERS:
                opened.append(name)
        elif event[0] == "end":
            count += 1
            if event[1] in opened:
                while opened.pop() != event[1]:
                    crossed += 1
        if len(opened) > _DEEP or crossed > _CROSSED or count >= _MANY:
            return count - 1
    return count
