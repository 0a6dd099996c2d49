"""What an agent that mends a pull request answers to the threads of a review. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_LINE = re.compile(
    r"[-*\s]*[`*]*\[(?P<number>[1-9][0-9]{0,3})\][`*]*\s*[`*]*(?P<kind>fixed|answered)[`*]*\s*:"
    r"\s*(?P<text>\S.*)",
    re.IGNORECASE,
)
_FENCE = re.compile(r"\s*(?:```|~~~)\w*\s*")
_TEXT = 4_000  # characters


class AnswerKind(StrEnum):
    FIXED = "fixed"  # it says that it has changed something for it
    ANSWERED = "answered"  # it says why not


@dataclass(frozen=True, slots=True)
class Answer:
    kind: AnswerKind
    text: str  # one line, as the agent wrote it


def answers(report: str) -> dict[int, Answer]:
    """By the threads' numbers: the lines that the report ends with. What stands before them, or is
    quoted among other words, is none. Of two with one number the last counts.
    """
    found: dict[int, Answer] = {}
    more: list[str] = []  # of the answer above it
    for line in reversed(report.splitlines()):
        if not line.strip() or _FENCE.fullmatch(line):
            continue
        if read := _LINE.fullmatch(line):
            text = " ".join([read["text"].strip().strip("`*"), *reversed(more)]).strip()
            more = []
            found.setdefault(int(read["number"]), Answer(_kind(read), text[:_TEXT]))
        elif line.startswith("  "):
            more.append(line.strip())
        else:
            break
    return dict(sorted((at, one) for at, one in found.items() if one.text))


def _kind(read: re.Match[str]) -> AnswerKind:
    return AnswerKind(read["kind"].lower())
