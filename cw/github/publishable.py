"""Others' words made fit to be published under our name: all that leaves for titles, bodies and
comments goes through here.

What comes out calls nobody, closes and links no issue, has no HTML, no image and no comment, hides
no link behind other words, and ends no block of ours. It reads as before: references and mentions
stand in code spans, code stays code.
"""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from cw.github.references import is_harmless, pieces, spelled_out, without_closing
from cw.glyphs import shown
from cw.markdown import Writer, fence, longest_run, readers

TITLE = 256  # characters that GitHub takes
BODY = 65_536
_SPARE = 4096  # of a body, for what we say ourselves
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,20}")
_DRAWN = frozenset({"mermaid", "math", "geojson", "topojson", "stl", "suggestion"})
_MARKUP = re.compile(r"[\\`*\[\]<~$|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#?\w+;)")
_BEGINS = re.compile(r"(?P<spaces>[ \t]*)(?P<mark>[-+=>#:]|\d+(?=[.)]))")
_LEFT_OUT = "(The rest is left out.)"
_OURS = re.compile(r"<!(-+)(?=\s*cw:)", re.IGNORECASE)
_SPANS = {"strong": "**", "em": "*", "s": "~~"}


def publishable(text: str, most: int = BODY - _SPARE) -> str:
    """Markdown of somebody else's, with at most so many characters."""
    plain = shown(text.replace("\r\n", "\n").replace("\r", "\n"))
    room = most
    while room:
        cut = len(plain) > room
        made = _Safe().write(_parser().parse(plain[:room])).strip("\n")
        made = f"{made}\n\n{_LEFT_OUT}" if cut else made
        if len(made) <= most:
            return made
        room //= 2  # what is made fit is longer
    return ""


def publishable_words(text: str) -> str:
    """A line of plain text, for a place within Markdown of ours."""
    return _words(" ".join(shown(text).split()))


def publishable_title(text: str) -> str:
    """GitHub's titles are plain text, and the first lines of what is squashed from them."""
    line = " ".join(spelled_out(" ".join(shown(text).split())).split())
    return line if len(line) <= TITLE else f"{line[: TITLE - 1]}…"


def span(text: str) -> str:
    """A code span that nothing in it ends."""
    line = _code(" ".join(shown(text).split()))
    ticks = "`" * (1 + longest_run(line, "`"))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}" if line else ""


def block(text: str, language: str = "") -> str:
    """A block of code that nothing in it ends, and of which no picture is made."""
    code = _code(shown(text))
    known = _LANGUAGE.fullmatch(language) and language.lower() not in _DRAWN
    closes = known and without_closing(f"{language}\n{code}") != f"{language}\n{code}"
    return fence(code, language if known and not closes else "")


@cache
def _parser() -> MarkdownIt:
    return readers()[0]


def _code(text: str) -> str:
    return without_closing(_OURS.sub(r"<!\1 ", text))


def _words(text: str) -> str:
    made = ""
    for kind, words in pieces(_OURS.sub(r"<!\1 ", text)):
        if kind == "text":
            made += _escaped(words)
        else:
            made = _joined(made, f"<{words}>" if kind == "url" else span(words))
    return _BEGINS.sub(_as_text, made, count=1) if _BEGINS.match(made) else made


def _joined(made: str, part: str) -> str:
    """Two code spans must not become one."""
    return f"{made} {part}" if made.endswith("`") and part.startswith("`") else made + part


def _escaped(text: str) -> str:
    return _MARKUP.sub(lambda found: "&amp;" if found[0] == "&" else f"\\{found[0]}", text)


def _as_text(begin: re.Match[str]) -> str:
    """What would begin a list, a quote, a heading or a table."""
    mark = begin["mark"]
    return begin["spaces"] + (f"{mark}\\" if mark.isdigit() else f"\\{mark}")


class _Safe(Writer):
    def code(self, token: Token) -> str:
        return block(token.content, (token.info.split() or [""])[0])

    def html(self, token: Token) -> str:
        """As code: what somebody wrote about stays readable. Comments are nobody's words."""
        text = _without_comments(token.content).strip("\n")
        return block(text, "html") if text.strip() else ""

    def spans(self, token: Token) -> str:
        made, prose, targets = "", "", list[str]()
        for child in token.children or ():
            if child.type in {"text", "softbreak", "hardbreak"}:
                prose += child.content if child.type == "text" else "\n"
            elif part := self._span(child, targets):  # else what stands around it is one word
                made = _joined(_joined(made, _lines(prose)), part)
                prose = ""
        return _joined(made, _lines(prose))

    def _span(self, token: Token, targets: list[str]) -> str:
        if token.type == "code_inline":
            return span(token.content)
        if token.type == "html_inline":
            return span(_without_comments(token.content))
        if token.type == "image":
            return f"(image: {span(str(token.attrGet('src')))})"
        if token.type == "link_open":
            auto = token.markup == "autolink"
            targets.append("" if auto else str(token.attrGet("href")))
            return ""
        if token.type == "link_close":
            target = targets.pop()
            shown_target = f"<{target}>" if is_harmless(target) else span(target)
            return f" ({shown_target})" if target else ""
        return _SPANS.get(token.tag, "")


def _lines(prose: str) -> str:
    return "\n".join(_words(line) for line in prose.split("\n"))


def _without_comments(html: str) -> str:
    return re.sub(r"<!--.*?(?:-->|\Z)", "", html, flags=re.DOTALL)
