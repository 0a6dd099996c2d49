"""Maths and diagrams, which the page draws: what is in their source only is left out."""

from __future__ import annotations

import re

from workerhost.prompts.mermaid import drawn_by_mermaid

_WORD = re.compile(r"[A-Za-z0-9_+#.-]{1,20}")
_MODELS = frozenset({"stl", "geojson", "topojson"})  # of which the page shows no letter
_MATHS = re.compile(
    r"\$\$.+?(?:\$\$|\Z)|(?<![\\$\w])\$(?=[^\s$])[^$]*(?<![\s\\])\$(?![\w$])", re.DOTALL
)
_COMMENT = re.compile(r"(?<!\\)%[^\n$]*")
_PHANTOM = re.compile(r"\\[hv]?phantom\b\s*")


def fenced(info: str, source: str) -> tuple[str, str]:
    """The language and the text of a block of code. Of its first line the page shows nothing."""
    word = (info.split() or [""])[0]
    language = word if _WORD.fullmatch(word) else ""
    kind = language.lower()
    if kind in _MODELS:
        return language, "[left out: the page shows a picture made from this]\n"
    if kind == "mermaid":
        return language, drawn_by_mermaid(source)
    return language, formula(source) if kind == "math" else source


def with_maths(text: str) -> str:
    """Prose in which formulas may stand between dollars."""
    return _without_phantoms(_MATHS.sub(lambda found: _COMMENT.sub("", found[0]), text))


def formula(source: str) -> str:
    return _without_phantoms(_COMMENT.sub("", source))


def _without_phantoms(text: str) -> str:
    """They take room and are not drawn."""
    kept, at = "", 0
    while found := _PHANTOM.search(text, at):
        kept += text[at : found.start()]
        at = _after_group(text, found.end())
    return kept + text[at:]


def _after_group(text: str, at: int) -> int:
    """The end of a group in braces, or of the one character that stands for it."""
    depth = 0
    for place in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth <= 0:
            return place + 1
    return len(text)
