"""What we say at pull requests, in words that mention nobody, link nothing and close nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cw.github.publishable import publishable, publishable_words, span
from cw.pulls.answers import AnswerKind

if TYPE_CHECKING:
    from cw.pulls.answers import Answer
    from cw.pulls.record import PullRecord


def reply(answer: Answer, head: str) -> str:
    """In a thread of a review, in the agent's words, if it has any for it."""
    if not answer.text:
        return f"See {span(head[:12])}."
    done = f" ({span(head[:12])})" if head and answer.kind is AnswerKind.FIXED else ""
    said = "Fixed" if answer.kind is AnswerKind.FIXED else "Not changed"
    return f"{said}{done}: {publishable_words(answer.text)}"


def answered(report: str, head: str) -> str:
    """To people who asked for changes as a whole."""
    pushed = f" in {span(head[:12])}" if head else ""
    return f"What was asked for is seen to{pushed}:\n\n{publishable(report)}"


def not_mended(record: PullRecord, why: str) -> str:
    """Once for all of it, with what was tried."""
    rows = [f"- {publishable_words(one)}" for one in record.tried]
    tried = "\n\nWhat was tried:\n\n" + "\n".join(rows) if rows else ""
    return (
        f"This is not mended any further: {publishable_words(why)}. It waits for a person:"
        f" {publishable_words(record.waits)}.{tried}\n\n`cw prs resume {record.name}` lets it be"
        " mended again."
    )
