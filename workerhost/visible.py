"""Text from GitHub as a person sees it on the page: what Markdown and HTML hide is left out.

The text is parsed as Markdown, so that code stays code, and written again without what nobody
reads there: comments, tags and their attributes, alternative texts, titles of links, definitions
that nothing refers to, characters without a shape. Targets of links are kept.
"""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from workerhost.shapes import shown

_NAME = r"[A-Za-z][A-Za-z0-9-]*"
_VALUE = r"""(?:[^\s"'=<>`]+|'[^']*'|"[^"]*")"""
_ATTRIBUTES = rf"(?:\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*{_VALUE})?)*"
_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)"  # one that is not closed hides all that follows
    r"|<\?.*?(?:\?>|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<![A-Za-z].*?(?:>|\Z)"
    rf"|<(?P<open>{_NAME})(?P<attributes>{_ATTRIBUTES})\s*(?P<empty>/?)>|</(?P<close>{_NAME})\s*>",
    re.DOTALL,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TARGET = re.compile(rf"\b(?:src|href)\s*=\s*({_VALUE})", re.IGNORECASE)
_UNSEEN = re.compile(
    r"\shidden(?:[\s=]|\Z)"
    r"|display\s*:\s*none|visibility\s*:\s*hidden|(?:opacity|font-size)\s*:\s*0(?![.\d]*[1-9])",
    re.IGNORECASE,
)
_VOID = frozenset({"br", "hr", "img", "input", "source", "wbr", "col", "area", "embed", "meta"})
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
    return shown(_Page().write(_parser().parse(plain))).strip()


def visible_line(text: str) -> str:
    """A title: no Markdown, one line."""
    return " ".join(_COMMENT.sub("", shown(text)).split())


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


class _Page:
    """Tokens in, text out. Quotes and lists are written as prefixes of their lines."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._prefix: list[str] = []
        self._numbers: list[int | None] = []  # of the lists we are in; None: bullets
        self._cells: list[str] | None = None  # of the table row we are in
        self._columns = 0
        self._links: list[str] = []  # how those we are in are written to their end
        self._unseen: list[str] = []  # open elements since the one that hides its content

    def write(self, tokens: list[Token]) -> str:
        for token in tokens:
            self._block(token)
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines))

    def _block(self, token: Token) -> None:
        kind = token.type
        if kind == "inline":
            text = "".join(self._inline(one) for one in token.children or [])
            if self._cells is None:
                self._say(text)
            else:
                self._cells.append(text.replace("|", "\\|"))
        elif kind in {"fence", "code_block"}:
            fence = "`" * max(3, 1 + _longest_run(token.content, "`"))
            self._say(self._seen(f"{fence}{token.info.strip()}\n{token.content}{fence}"), gap=True)
        elif kind == "html_block":
            self._say(self._html(token.content).strip("\n"), gap=True)
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

    def _inline(self, token: Token) -> str:
        kind = token.type
        if kind == "html_inline":
            return self._html(token.content)
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
        return self._seen(_MARKS.get(kind) or _COMMENT.sub("", token.content))

    def _seen(self, text: str) -> str:
        return "" if self._unseen else text

    def _html(self, source: str) -> str:
        """What stands between the tags, and where they lead."""
        out, at = "", 0
        for found in _MARKUP.finditer(source):
            out += self._seen(source[at : found.start()])
            at = found.end()
            out += self._tag(found)
        return out + self._seen(source[at:])

    def _tag(self, found: re.Match[str]) -> str:
        if found["close"]:
            name = found["close"].lower()
            if name in self._unseen:
                while self._unseen.pop() != name:
                    pass
            return ""
        if not found["open"]:
            return ""
        name, attributes = found["open"].lower(), found["attributes"]
        nests = name not in _VOID and not found["empty"]
        if nests and (self._unseen or _UNSEEN.search(attributes)):
            self._unseen.append(name)
        target = _TARGET.search(attributes)
        return self._seen(f"<{target[1].strip(chr(34) + chr(39))}> ") if target else ""


def _longest_run(text: str, char: str) -> int:
    return max((len(one) for one in re.findall(f"{re.escape(char)}+", text)), default=0)
