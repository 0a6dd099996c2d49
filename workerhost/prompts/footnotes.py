"""Footnotes for the parser, as GitHub has them: one that nothing refers to is not on the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

_DEFINITION = re.compile(r"\[\^([^\]\s]+)\]:[ \t]*")
_REFERENCE = re.compile(r"\[\^([^\]\s]+)\]")
_DEEP = 8  # within each other; what is deeper is left out
_LEFT_OUT = "<plaintext>"  # whatever it is, it may hide what follows
_INDENT = 4  # of what follows its first line


def footnotes(parser: MarkdownIt) -> None:
    """Tokens `footnote_open` and `footnote_close` around what a definition says, and
    `footnote_ref`; `info` is the label.
    """
    before: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    parser.block.ruler.before("reference", "footnote", _definition, before)
    parser.inline.ruler.before("link", "footnote_ref", _reference)


def split(tokens: Iterable[Token]) -> tuple[list[Token], dict[str, list[Token]]]:
    """What is no footnote, and the footnotes by label: of several with the same one the first."""
    body: list[Token] = []
    notes: dict[str, list[Token]] = {}
    inside: list[list[Token]] = [body]
    for token in tokens:
        if token.type == "footnote_open":
            inside.append([])
            notes.setdefault(token.info, inside[-1])
        elif token.type == "footnote_close":
            inside.pop()
        else:
            inside[-1].append(token)
    return body, notes


def _definition(state: StateBlock, begin: int, end: int, silent: bool) -> bool:
    """A rule of the parser: it has read the lines when this is true."""
    at = state.bMarks[begin] + state.tShift[begin]
    found = _DEFINITION.match(state.src, at, state.eMarks[begin])
    if not found or state.is_code_block(begin):
        return False
    if silent:
        return True
    lines = [state.src[found.end() : state.eMarks[begin]], *_continued(state, begin + 1, end)]
    state.push("footnote_open", "", 1).info = _label(found[1])
    deep = state.env.get("notes", 0)
    if deep < _DEEP:
        inner = {**state.env, "notes": deep + 1}
        state.md.block.parse("\n".join(lines), state.md, inner, state.tokens)
    else:
        state.push("html_block", "", 0).content = _LEFT_OUT
    state.push("footnote_close", "", -1)
    state.line = begin + len(lines)
    return True


def _continued(state: StateBlock, at: int, end: int) -> Iterator[str]:
    """What is indented, and what goes on with its paragraph."""
    others = state.md.block.ruler.getRules("paragraph")
    empty: list[str] = []
    kind, state.parentType = state.parentType, "paragraph"
    for line in range(at, end):
        indent = state.sCount[line] - state.blkIndent
        if state.isEmpty(line):
            empty.append("")
        elif indent >= _INDENT:
            yield from (*empty, state.getLines(line, line + 1, state.blkIndent + _INDENT, False))
            empty = []
        elif empty or indent < 0 or any(rule(state, line, end, True) for rule in others):
            break
        else:
            yield state.getLines(line, line + 1, state.blkIndent, False)
    state.parentType = kind


def _reference(state: StateInline, silent: bool) -> bool:
    found = _REFERENCE.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        token = state.push("footnote_ref", "", 0)
        token.content, token.info = found[0], _label(found[1])
    state.pos = found.end()
    return True


def _label(text: str) -> str:
    return text.casefold()
