"""Text from GitHub as a person sees it on the page: what Markdown and HTML hide is left out.

As GitHub does it: Markdown becomes HTML, HTML is read by the standard's own algorithm, and what it
draws is written again as Markdown. Comments, tags and their attributes, alternative texts, titles
of links, definitions and footnotes that nothing refers to, what maths and diagrams do not draw, and
characters without a shape are not among it. Targets of links are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from cw.glyphs import shown
from cw.markdown import NESTED, readers
from workerhost.prompts.footnotes import footnotes, split
from workerhost.prompts.markup import drawn
from workerhost.prompts.page import Page
from workerhost.prompts.rendering import render

_LONGEST = 65_536  # characters; GitHub takes no more
_NOTES = 100  # more are left out
_LINES = 8000
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_CUT = "[The rest is left out: it is too much, or nobody can say how a page shows it.]"


def visible(text: str) -> str:
    """A text of many lines."""
    plain = shown(text[:_LONGEST].replace("\r\n", "\n").replace("\r", "\n"))
    lines = plain.split("\n")
    try:
        seen, whole = _seen("\n".join(lines[:_LINES]))
    except RecursionError:  # markdown-it-py 4.3 calls itself for images within images
        seen, whole = "", False
    whole = whole and len(lines) <= _LINES and len(text) <= _LONGEST
    return shown(seen if whole else f"{seen}\n\n{_CUT}").strip()


def visible_line(text: str) -> str:
    """A title: no Markdown, one line."""
    return " ".join(_COMMENT.sub("", shown(text)).split())


@cache
def _parser() -> MarkdownIt:
    blocks, spans = readers()
    footnotes(blocks)
    footnotes(spans)
    return blocks


@dataclass(frozen=True, slots=True)
class _Part:
    """`notes`: what it refers to. `whole`: what follows is drawn as if it stood alone."""

    text: str
    notes: tuple[str, ...]
    whole: bool
    doubtful: bool


def _seen(plain: str) -> tuple[str, bool]:
    """And whether all of it could be read. Footnotes are at the page's end."""
    tokens = _parser().parse(plain)
    deep = next((at for at, token in enumerate(tokens) if token.level >= NESTED - 2), None)
    body, notes = split(tokens[:deep])
    source = plain.lower()
    part = _write(body, source)
    parts = [part]
    wanted = list(part.notes)
    for label in wanted:  # it grows: a footnote may refer to others
        if not part.whole or len(parts) > _NOTES:
            break
        if label in notes:
            part = _write(notes.pop(label), source, f"[^{label}]: ")
            parts.append(part)
            wanted.extend(part.notes)
    whole = deep is None and not any(part.doubtful for part in parts)
    return "\n\n".join(part.text.strip("\n") for part in parts), whole


def _write(tokens: list[Token], source: str, prefix: str = "") -> _Part:
    made = render(tokens, source)
    found = drawn(made.html, made.marks)
    page = Page(found, prefix)
    text = page.write(tokens)
    return _Part(text, tuple(page.notes), made.number in found.marks, found.doubtful)
