"""What counts as an answer to a thread, in an agent's last message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cw.pulls.answers import Answer, AnswerKind, answers

ONE = Answer(AnswerKind.FIXED, "the limit is 10 now")
TWO = Answer(AnswerKind.ANSWERED, "the caller needs it")

WHOLE = "[1] fixed: the limit is 10 now\n[2] answered: the caller needs it"


@pytest.mark.parametrize(
    "report",
    [
        WHOLE,
        f"I changed the limit.\n\n{WHOLE}",
        f"{WHOLE}\n\n",
        WHOLE.replace("\n", "\n\n"),
        WHOLE.replace("\n", "\r\n"),
        "[2] answered: the caller needs it\n[1] fixed: the limit is 10 now",
        "- [1] fixed: the limit is 10 now\n- [2] answered: the caller needs it",
        "`[1] fixed: the limit is 10 now`\n`[2] answered: the caller needs it`",
        "**[1]** Fixed: the limit is 10 now\n**[2]** Answered: the caller needs it",
        f"Done.\n\n```text\n{WHOLE}\n```",
        "[1] fixed: the limit\n  is 10 now\n[2] answered: the caller\n  needs it",
        f"[1] answered: an earlier word\n{WHOLE}",
        f"[3] answered: was said before\nThen more.\n{WHOLE}",
    ],
)
def test_lines_at_the_end_are_answers(report: str) -> None:
    assert answers(report) == {1: ONE, 2: TWO}


@pytest.mark.parametrize(
    "report",
    [
        "",
        "Fixed everything.",
        "[1] fixed",
        "[1] fixed:",
        "[1] fixed:   ",
        "[1] done: it is",
        "[0] fixed: it",
        "[-1] fixed: it",
        "[one] fixed: it",
        "[99999] fixed: it",
        "[1] [2] fixed: both",
        "1. fixed: it",
        "> [1] fixed: as somebody else says",
        "I would write [1] fixed: it",
        f"{WHOLE}\nThat is all.",
        f"{WHOLE}\n[3] is not mine",
    ],
)
def test_anything_else_is_none(report: str) -> None:
    assert answers(report) == {}


def test_of_two_with_one_number_the_last_counts() -> None:
    assert answers("[1] fixed: it\n[1] answered: not after all") == {
        1: Answer(AnswerKind.ANSWERED, "not after all")
    }


@given(st.text(alphabet="[]12 fixedansw:`*->~\n\r", max_size=200))
def test_rubbish_raises_nothing(report: str) -> None:
    for answer in answers(report).values():
        assert answer.text
        assert "\n" not in answer.text
