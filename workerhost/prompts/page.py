"""Tokens of Markdown written again, those of them that are drawn."""

from __future__ import annotations

from itertools import pairwise

from markdown_it.token import Token

from cw.markdown import Writer, fence
from workerhost.prompts.diagrams import fenced, formula, with_maths
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


class Page(Writer):
    """`notes`: labels of footnotes that something drawn refers to, in order."""

    def __init__(self, drawn: Drawn, prefix: str = "") -> None:
        super().__init__(prefix)
        self.notes: dict[str, None] = {}
        self._drawn = drawn
        self._row_drawn = False
        self._links: list[str] = []  # how those we are in are written to their end

    def _seen(self, token: Token, text: str) -> str:
        return text if token.meta["number"] in self._drawn.marks else ""

    def _after(self, token: Token) -> str:
        """What is drawn of the HTML after this token's place."""
        return self._drawn.texts.get(token.meta["number"], "")

    def code(self, token: Token) -> str:
        language, text = fenced(token.info, token.content)
        return self._seen(token, fence(text, language))

    def html(self, token: Token) -> str:
        return self._after(token).strip("\n")

    def rule(self, token: Token) -> str:
        return self._seen(token, "---")

    def row(self, cells: list[str]) -> str:
        drawn, self._row_drawn = self._row_drawn, False
        return super().row(cells) if drawn else ""

    def spans(self, token: Token) -> str:
        """Code is not maths, but for that between dollars."""
        if self._cells is not None and self._seen(token, "drawn"):
            self._row_drawn = True
        line: list[str] = [self._after(token)]
        prose: list[str] = []
        for child, after in pairwise([*(token.children or ()), Token("end", "", 0)]):
            part = self._span(child)
            if child.type != "code_inline":
                prose.append(part)
                continue
            before = "".join(prose)
            maths = before.endswith("$") and after.content.startswith("$")
            line += [with_maths(before), formula(part) if maths else part]
            prose = []
        return "".join([*line, with_maths("".join(prose))])

    def _span(self, token: Token) -> str:
        if token.type == "footnote_ref" and self._seen(token, token.content):
            self.notes[token.info] = None
        return self._seen(token, self._written(token)) + self._after(token)

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
