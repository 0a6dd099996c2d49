"""Tokens of Markdown written again, those of them that are drawn."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from markdown_it.token import Token

from workerhost.prompts.drawn import fenced, formula, with_maths
from workerhost.prompts.markup import Drawn

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


class Page:
    """Quotes and lists are written as prefixes of their lines. `notes`: labels of footnotes that
    something drawn refers to, in order.
    """

    def __init__(self, drawn: Drawn, prefix: str = "") -> None:
        self._drawn = drawn
        self._lines: list[str] = []
        self._prefix: list[str] = [prefix] if prefix else []
        self._numbers: list[int | None] = []  # of the lists we are in; None: bullets
        self._cells: list[str] | None = None  # of the table row we are in
        self._row_drawn = False
        self._columns = 0
        self._links: list[str] = []  # how those we are in are written to their end
        self.notes: dict[str, None] = {}

    def write(self, tokens: Iterable[Token]) -> str:
        for token in tokens:
            self._block(token)
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines))

    def _seen(self, token: Token, text: str) -> str:
        return text if token.meta["number"] in self._drawn.marks else ""

    def _html(self, token: Token) -> str:
        """What is drawn of the HTML after this token's place."""
        return self._drawn.texts.get(token.meta["number"], "")

    def _block(self, token: Token) -> None:
        kind = token.type
        if kind == "inline":
            self._inline_block(token)
        elif kind in {"fence", "code_block"}:
            language, code = fenced(token.info, token.content)
            fence = "`" * max(3, 1 + longest_run(code, "`"))
            self._say(self._seen(token, f"{fence}{language}\n{code}{fence}"), gap=True)
        elif kind == "html_block":
            self._say(self._html(token).strip("\n"), gap=True)
        elif kind == "hr":
            self._say(self._seen(token, "---"), gap=True)
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

    def _inline_block(self, token: Token) -> None:
        text = self._html(token) + self._line(token.children or [])
        if self._cells is None:
            self._say(text)
        else:
            self._cells.append(text.replace("|", "\\|").replace("\n", " "))
            self._row_drawn = self._row_drawn or bool(self._seen(token, "drawn"))

    def _row(self, token: Token) -> None:
        if token.type == "tr_open":
            self._cells, self._row_drawn = [], False
        elif token.type == "tr_close" and self._cells is not None:
            if self._row_drawn:
                self._say(f"| {' | '.join(self._cells)} |")
            self._columns, self._cells = len(self._cells), None
        elif token.type == "thead_close" and self._row_drawn:
            self._say(f"|{' --- |' * self._columns}")

    def _container(self, token: Token) -> None:
        kind = token.type
        if kind == "blockquote_open":
            self._prefix.append("> ")
        elif kind in {"bullet_list_open", "ordered_list_open"}:
            ordered = kind.startswith("ordered")
            self._numbers.append(int(token.attrGet("start") or 1) if ordered else None)
        elif kind == "list_item_open":
            number = self._numbers[-1]
            self._prefix.append("- " if number is None else f"{number}. ")
            self._numbers[-1] = None if number is None else number + 1
        elif kind in {"blockquote_close", "list_item_close"}:
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
        line: list[str] = []
        prose: list[str] = []
        for token, after in pairwise([*tokens, Token("end", "", 0)]):
            part = self._inline(token)
            if token.type != "code_inline":
                prose.append(part)
                continue
            before = "".join(prose)
            maths = before.endswith("$") and after.content.startswith("$")
            line += [with_maths(before), formula(part) if maths else part]
            prose = []
        return "".join([*line, with_maths("".join(prose))])

    def _inline(self, token: Token) -> str:
        if token.type == "footnote_ref" and self._seen(token, token.content):
            self.notes[token.info] = None
        return self._seen(token, self._written(token)) + self._html(token)

    def _written(self, token: Token) -> str:
        kind = token.type
        if kind == "html_inline":
            return ""
        if kind == "code_inline":
            return f"{token.markup}{token.content}{token.markup}"
        if kind == "image":
            return f"![]({token.attrGet('src')})"
        if kind == "link_open":
            auto = token.markup == "autolink"
            self._links.append(">" if auto else f"]({token.attrGet('href')})")
            return "<" if auto else "["
        if kind == "link_close":
            return self._links.pop()
        return _MARKS.get(kind) or token.content


def longest_run(text: str, char: str) -> int:
    return max((len(one) for one in re.findall(f"{re.escape(char)}+", text)), default=0)
