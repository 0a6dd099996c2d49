"""Markdown's tokens as the HTML that GitHub makes of them, with a mark where each one has text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markdown_it.token import Token

from workerhost.prompts.markup import RAW, Marks

_HTML = frozenset({"html_block", "html_inline"})
_TAG = re.compile(r"<([A-Za-z][A-Za-z0-9-]*)")
_AROUND = {  # a mark, and what GitHub puts around it
    "fence": ("<pre><code>", "</code></pre>"),
    "code_block": ("<pre><code>", "</code></pre>"),
    "code_inline": ("<code>", "</code>"),
    "image": ("", "<img>"),
    "hr": ("", "<hr>"),
    "footnote_ref": ("<sup><a>", "</a></sup>"),
    "hardbreak": ("<br>", ""),
}


@dataclass(slots=True)
class Rendering:
    """`number`: of the next token; in the end, of the mark that ends the document."""

    marks: Marks
    html: str = ""
    number: int = 0


def render(tokens: list[Token], source: str) -> Rendering:
    """Each token's `meta` gets its number. `source`: all of the text, in lower case."""
    made = Rendering(Marks())
    made.html = "".join([*_parts(tokens, made, source), made.marks.mark(made.number)])
    return made


def _parts(tokens: Iterable[Token], made: Rendering, source: str) -> Iterator[str]:
    for token in tokens:
        number = made.number
        made.number += 1
        token.meta["number"] = number
        if token.type == "html_inline" and _shown_as_text(token.content, source):
            token.type = "text"
        if token.type in _HTML:
            yield made.marks.mark(number) + token.content
        elif token.type == "inline":
            yield made.marks.mark(number)
            yield from _parts(token.children or (), made, source)
        elif token.nesting:
            yield _tag(token, made.marks.mark(number))
        else:
            before, after = _AROUND.get(token.type, ("", ""))
            yield f"{before}{made.marks.mark(number)}{after}"


def _tag(token: Token, mark: str) -> str:
    """With a mark inside for what Markdown writes at both ends of a span."""
    if token.hidden or not token.tag:
        return ""
    spans = token.type.startswith(("link", "strong", "em_", "s_"))
    if token.nesting > 0:
        return f"<{token.tag}>{mark if spans else ''}"
    return f"{mark if spans else ''}</{token.tag}>"


def _shown_as_text(tag: str, source: str) -> bool:
    """Of a tag in prose that nothing ends, as in "the <title> is wrong", a person sees all."""
    found = _TAG.match(tag)
    name = found[1].lower() if found else ""
    return name in RAW and f"</{name}" not in source
