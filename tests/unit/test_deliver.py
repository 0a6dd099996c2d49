"""The GitHub writes that follow from a run, and how a comment is written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cw.operations.rest.writes import on_outcome, on_start, tail_of
from cw.states import OutcomeKind
from tests.making import make_outcome, make_spec

FAILED = make_outcome(OutcomeKind.FAILED, reason="killed", message="It was killed")


def comment(tail: str = "", outcome: object = FAILED) -> str:
    (effect,) = on_outcome(make_spec(id="T"), "01", 2, outcome, tail)  # type: ignore[arg-type]
    return effect.text


def test_start_labels_the_issue() -> None:
    (effect,) = on_start(make_spec(), "01")

    assert (effect.kind, effect.text, effect.issue) == ("label", "worker:01", 22)


def test_success_takes_the_label_off_and_says_nothing() -> None:
    (effect,) = on_outcome(make_spec(), "01", 1, make_outcome(), "log")

    assert (effect.kind, effect.text) == ("unlabel", "worker:01")


@pytest.mark.parametrize("kind", [OutcomeKind.FAILED, OutcomeKind.STOPPED])
def test_anything_else_comments_once_an_attempt_and_leaves_the_label(kind: OutcomeKind) -> None:
    outcome = make_outcome(kind, reason="because", message="It did not")

    (effect,) = on_outcome(make_spec(id="T"), "01", 2, outcome, "")

    assert (effect.kind, effect.mark) == ("comment", "cw:T:2:because")
    assert "It did not (`because`, task `T`)" in effect.text


def test_task_put_off_again_for_the_same_cause_says_so_once() -> None:
    """A comment is made once for each mark."""

    def mark(attempt: int, message: str, reason: str = "usage_limit") -> str:
        outcome = make_outcome(OutcomeKind.DEFERRED, reason=reason, message=message)
        (effect,) = on_outcome(make_spec(id="T"), "01", attempt, outcome, "")
        return effect.mark

    assert mark(1, "goes on at 17:00") == mark(2, "goes on at 17:00")
    assert mark(1, "goes on at 17:00") != mark(2, "goes on at 22:00")
    assert mark(1, "the same") != mark(2, "the same", "disk_full")


def test_work_that_is_there_is_named() -> None:
    lost = FAILED.model_copy(update={"commits": 2, "branch": "issue-22"})

    assert "2 commit(s) on `issue-22` are in the worker's clone" in comment(outcome=lost)
    pushed = lost.model_copy(update={"pushed": True})
    assert "are pushed" in comment(outcome=pushed)


@pytest.mark.parametrize("changed", [{"github": False}, {"issue": None}])
def test_task_without_an_issue_writes_nothing(changed: dict[str, object]) -> None:
    spec = make_spec(**changed)

    assert on_start(spec, "01") == on_outcome(spec, "01", 1, FAILED, "log") == []


def test_message_of_an_agent_acts_nowhere() -> None:
    said = "Fixes #9 for @acme <!-- cw:1 --> <img src=x>"

    text = comment(outcome=FAILED.model_copy(update={"message": said, "reason": "a`b"}))

    assert "Fixes `#9` for `@acme` \\<!--  cw:1 --> \\<img src=x> (``a`b``, task `T`)" in text


def test_log_is_shown_folded() -> None:
    text = comment("last line")

    assert "<summary>End of the log</summary>\n\n```\nlast line\n```\n</details>" in text


@given(st.text("`~\n x", max_size=60))
def test_no_log_gets_out_of_its_fence(tail: str) -> None:
    text = comment(f"x{tail}")
    fence = re.search(r"^(`{3,})$", text, re.MULTILINE)
    assert fence

    inside = text.split(fence[1] + "\n", 1)[1].rsplit(f"\n{fence[1]}\n", 1)[0]
    assert inside == f"x{tail}"
    assert fence[1] not in inside


def test_end_of_a_long_log_is_kept() -> None:
    text = tail_of("a" * 9000 + "end")

    assert text.startswith("…")
    assert text.endswith("end")
    assert len(text) < 3100
    assert tail_of("short") == "short"
