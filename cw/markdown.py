"""Markdown as GitHub has it: read, and written again block by block."""

from __future__ import annotations

import re
from collections.abc import Iterable

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

NESTED = 20  # lists and quotes within each other; of what is deeper the parser says nothing
_NESTED_SPANS = 8  # each costs another look at all brackets that are not closed


def readers() -> tuple[MarkdownIt, MarkdownIt]:
    """One for documents, and the one that it reads its paragraphs with."""
    blocks, spans = (
        MarkdownIt("commonmark", {"maxNesting": most}).enable(["table", "strikethrough"])
        for most in (NESTED, _NESTED_SPANS)
    )

    def read_spans(state: StateCore) -> None:
        for token in state.tokens:
            if token.type == "inline":
                token.children = []
                spans.inline.parse(token.content, spans, state.env, token.children)

    blocks.core.ruler.at("inline", read_spans)
    return blocks, spans


def longest_run(text: str, char: str) -> int:
    return max((len(run) for run in re.findall(f"{re.escape(char)}+", text)), default=0)


def fence(text: str, language: str = "") -> str:
    """A block of code that nothing in it ends."""
    ticks = "`" * max(3, 1 + longest_run(text, "`"))
    return f"{ticks}{language}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{ticks}"


class Writer:
    """Tokens in, text out. Quotes and lists are written as prefixes of their lines. What becomes of
    spans, code and HTML is for those to say who make one of it; empty is not written.
    """

    def __init__(self, prefix: str = "") -> None:
        self._lines: list[str] = []
        self._prefix: list[str] = [prefix] if prefix else []
        self._numbers: list[int | None] = []  # of the lists we are in; None: bullets
        self._cells: list[str] | None = None  # of the table row we are in
        self._columns = 0

    def spans(self, token: Token) -> str:
        raise NotImplementedError

    def code(self, token: Token) -> str:
        raise NotImplementedError

    def html(self, token: Token) -> str:
        raise NotImplementedError

    def rule(self, token: Token) -> str:
        del token
        return "---"

    def row(self, cells: list[str]) -> str:
        return f"| {' | '.join(cells)} |"

    def write(self, tokens: Iterable[Token]) -> str:
        for token in tokens:
            self._block(token)
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines))

    def _block(self, token: Token) -> None:
        kind = token.type
        if kind == "inline":
            text = self.spans(token)
            if self._cells is None:
                self._say(text)
            else:
                self._cells.append(text.replace("|", "\\|").replace("\n", " "))
        elif kind in {"fence", "code_block"}:
            self._say(self.code(token), gap=True)
        elif kind == "html_block":
            self._say(self.html(token), gap=True)
        elif kind == "hr":
            self._say(self.rule(token), gap=True)
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
            text = self.row(self._cells)
            self._say(text)
            self._columns, self._cells = len(self._cells) if text else 0, None
        elif token.type == "thead_close" and self._columns:
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
            self._prefix = [mark if mark == "> " else " " * len(mark) for mark in self._prefix]
        if gap:
            self._gap()

    def _gap(self) -> None:
        self._lines.append("".join(mark for mark in self._prefix if mark == "> ").rstrip())
