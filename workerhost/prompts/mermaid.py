"""What Mermaid draws of a diagram's source. Left out are comments, settings, what is told to screen
readers, tooltips, classes and styles, and names that a label or an alias stands for in the picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SETTINGS = re.compile(r"\A\s*---[ \t]*\n(.*?)(?:^\s*---[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r"^title:[^\n]*", re.MULTILINE)
_COMMENT = re.compile(r"%%\{.*?(?:\}%%|\Z)|%%[^\n]*", re.DOTALL)
_TOLD = re.compile(
    r"^[ \t]*acc(?:Title|Descr)\b\s*(?:\{.*?(?:\}|\Z)|[^\n]*)", re.DOTALL | re.MULTILINE
)
_STATEMENT = re.compile(
    r"(?:^|;)[ \t]*(?:click|callback|classDef|cssClass|links?|linkStyle|properties|style)\b[^\n]*",
    re.MULTILINE,
)
_CLASS = re.compile(r"(?:^|;)[ \t]*class\b[^\n]*", re.MULTILINE)  # a picture's, where it is no name
_CLASSED = re.compile(r":::[\w-]+")
_FLOW = re.compile(r"\s*(?:graph|flowchart|stateDiagram(?:-v2)?)\b")
_LABEL = re.compile(
    r'"[^"\n]{0,500}"|\[[^\]\n]{0,500}\]|\([^)\n]{0,500}\)|\{[^}\n]{0,500}\}|\|[^|\n]{0,500}\|'
)
_NAME = r"[^\W\d_][\w.-]{3,}"  # a shorter one says nothing
_LABELLED = re.compile(rf"(?:subgraph[ \t]+({_NAME})[ \t]*|({_NAME}))\Z")
_ALIAS = re.compile(
    rf"^[ \t]*(?:create[ \t]+)?(?:(?:participant|actor)[ \t]+(?P<who>{_NAME})[ \t]+as\b"
    rf'|state[ \t]+"[^"\n]*"[ \t]+as[ \t]+(?P<state>{_NAME}))',
    re.MULTILINE,
)


def drawn_by_mermaid(source: str) -> str:
    settings, title = _SETTINGS.match(source), ""
    if settings:
        named = _TITLE.search(settings[1])
        title = f"{named[0]}\n" if named else ""
        source = source[settings.end() :].lstrip("\n")
    source = _STATEMENT.sub("", _TOLD.sub("", _COMMENT.sub("", source)))
    if _FLOW.match(source):
        source = _CLASSED.sub("", _CLASS.sub("", source))
    aliases = {found["who"] or found["state"] for found in _ALIAS.finditer(source)}
    return title + _renamed(source, sorted(aliases | _labelled(source)))


def _labelled(source: str) -> set[str]:
    """Names that a label follows at once, outside of labels."""
    found, at = set(), 0
    for label in _LABEL.finditer(source):
        named = _LABELLED.search(source[max(at, label.start() - 200) : label.start()])
        if named and label[0][0] in "[({":
            found.add(named[1] or named[2])
        at = label.end()
    return found


def _renamed(source: str, names: Iterable[str]) -> str:
    """Each name by a short one, but for texts: labels, and what follows a colon."""
    short = {name: f"n{number}" for number, name in enumerate(names, 1)}
    if not short:
        return source
    either = "|".join(map(re.escape, sorted(short, key=len, reverse=True)))
    # Texts are found first and stay.
    pattern = re.compile(rf"{_LABEL.pattern}|:[^\n]*|(?<![\w.-])({either})(?!\w|-\w)")
    return pattern.sub(lambda found: short[found[1]] if found[1] else found[0], source)
