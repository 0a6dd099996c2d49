"""Text from GitHub as a person sees it on the page: what Markdown and HTML hide is left out.

The text is parsed as Markdown, so that code stays code, and written again without what nobody
reads there: comments, tags and their attributes, alternative texts, titles of links, definitions
and footnotes that nothing refers to, what maths and diagrams do not draw, characters without a
shape. Targets of links are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from workerhost.prompts.drawn import fenced, formula, with_maths
from workerhost.prompts.footnotes import footnotes, without
from workerhost.prompts.markup import COMMENT, Markup
from workerhost.prompts.shapes import shown

_NOTES = 100  # more are left out
_MARKS = {
    "strong_open": "**",
    "strong_close": "**",
    "em_open": "*",
    "em_close": "*",
    "s_open": "~~",
    "s_close": "~~",
    "softbreak": "\n",
    "hardbreak": "\n",
}


def visible(text: str) -> str:
    """A text of many lines."""
    plain = shown(text.replace("\r\n", "\n").replace("\r", "\n"))
    tokens = _parser().parse(plain)
    page, notes = _Page(), frozenset[str]()
    text = page.write(without(tokens, notes))
    while page.notes - notes and len(notes) < _NOTES:  # a footnote may refer to others
        page, notes = _Page(), page.notes | notes
        text = page.write(without(tokens, notes))
    return shown(text).strip()


def visible_line(text: str) -> str:
    """A title: no Markdown, one line."""
    return " ".join(COMMENT.sub("", shown(text)).split())


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    footnotes(parser)
    return parser


class _Page:
    """Tokens in, text out. Quotes and lists are written as prefixes of their lines."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._prefix: list[str] = []
        self._numbers: list[int | None] = []  # of the lists we are in; None: bullets
        self._cells: list[str] | None = None  # of the table row we are in
        self._columns = 0
        self._links: list[str] = []  # how those we are in are written to their end
        self._markup = Markup()
        self._seen = self._markup.seen
        self.notes: frozenset[str] = frozenset()  # that something seen refers to

    def write(self, tokens: Iterable[Token]) -> str:
        for token in tokens:
            self._block(token)
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines))

    def _block(self, token: Token) -> None:
        kind = token.type
        if kind == "inline":
            text = self._line(token.children or [])
            if self._cells is None:
                self._say(text)
            else:
                self._cells.append(text.replace("|", "\\|"))
        elif kind in {"fence", "code_block"}:
            language, code = fenced(token.info, token.content)
            fence = "`" * max(3, 1 + _longest_run(code, "`"))
            self._say(self._seen(f"{fence}{language}\n{code}{fence}"), gap=True)
        elif kind == "html_block":
            self._say(self._markup.html(token.content).strip("\n"), gap=True)
        elif kind == "hr":
            self._say("---", gap=True)
        elif kind == "heading_open":
            self._gap()
            self._prefix.append(token.markup + " " if "#" in token.markup else "# ")
        elif kind == "heading_close":
            self._prefix.pop()
            self._gap()
        elif kind in {"paragraph_close", "table_close"} and not token.hidden:
            self._gap()
        else:
            self._row(token)
            self._container(token)

    def _row(self, token: Token) -> None:
        if token.type == "tr_open":
            self._cells = []
        elif token.type == "tr_close" and self._cells is not None:
            self._say(f"| {' | '.join(self._cells)} |")
            self._columns, self._cells = len(self._cells), None
        elif token.type == "thead_close":
            self._say(f"|{' --- |' * self._columns}")

    def _container(self, token: Token) -> None:
        kind = token.type
        if kind == "blockquote_open":
            self._prefix.append("> ")
        elif kind == "footnote_open":
            self._prefix.append(f"[^{token.info}]: ")
        elif kind in {"bullet_list_open", "ordered_list_open"}:
            ordered = kind.startswith("ordered")
            self._numbers.append(int(token.attrGet("start") or 1) if ordered else None)
        elif kind == "list_item_open":
            number = self._numbers[-1]
            self._prefix.append("- " if number is None else f"{number}. ")
            self._numbers[-1] = None if number is None else number + 1
        elif kind in {"blockquote_close", "list_item_close", "footnote_close"}:
            self._prefix.pop()
            if kind == "blockquote_close":
                while self._lines and not self._lines[-1].strip("> "):
                    self._lines.pop()
                self._gap()
        elif kind in {"bullet_list_close", "ordered_list_close"}:
            self._numbers.pop()
            self._gap()

    def _say(self, text: str, *, gap: bool = False) -> None:
        """A block of lines; a list's mark stands before its first line only."""
        if not text.strip():
            return
        for line in text.split("\n"):
            self._lines.append("".join(self._prefix) + line)
            self._prefix = [one if one == "> " else " " * len(one) for one in self._prefix]
        if gap:
            self._gap()

    def _gap(self) -> None:
        self._lines.append("".join(one for one in self._prefix if one == "> ").rstrip())

    def _line(self, tokens: list[Token]) -> str:
        """Code is not maths, but for that between dollars."""
        line = prose = ""
        for token, after in pairwise([*tokens, Token("end", "", 0)]):
            part = self._inline(token)
            if token.type != "code_inline":
                prose += part
                continue
            maths = prose.endswith("$") and after.content.startswith("$")
            line += with_maths(prose) + (formula(part) if maths else part)
            prose = ""
        return line + with_maths(prose)

    def _inline(self, token: Token) -> str:
        kind = token.type
        if kind == "footnote_ref" and self._seen(token.content):
            self.notes |= {token.info}
        if kind == "html_inline":
            return self._markup.html(token.content)
        if kind == "code_inline":
            return self._seen(f"{token.markup}{token.content}{token.markup}")
        if kind == "image":
            return self._seen(f"![]({token.attrGet('src')})")
        if kind == "link_open":
            auto = token.markup == "autolink"
            self._links.append(">" if auto else f"]({token.attrGet('href')})")
            return self._seen("<" if auto else "[")
        if kind == "link_close":
            return self._seen(self._links.pop())
        return self._seen(_MARKS.get(kind) or COMMENT.sub("", token.content))


def _longest_run(text: str, char: str) -> int:
    return max((len(one) for one in re.findall(f"{re.escape(char)}+", text)), default=0)
