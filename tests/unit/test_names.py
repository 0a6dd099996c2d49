"""What people type becomes folders, labels, queues and branches: nothing odd gets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cw.claude.models import MODEL_WORDS, model_name
from cw.errors import BadInputError
from cw.names import (
    branch_name,
    created_at,
    issue_number,
    new_task_id,
    prompt_text,
    worker_id,
    worker_label,
    worker_queue,
)
from cw.operations.fleet.references import Target, read_target


@pytest.mark.parametrize("text", ["01", "docs-fixer", "a", "9" * 32])
def test_worker_ids(text: str) -> None:
    assert worker_id(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "A", "../../etc", "01\n", "a b", "-a", "a_b", "x" * 33, "01;rm", "é", "a/b", "\0", "*"],
)
def test_no_worker_ids(text: str) -> None:
    with pytest.raises(BadInputError) as caught:
        worker_id(text)

    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.line()


@given(st.text(max_size=40))
def test_an_accepted_worker_id_is_one_plain_word(text: str) -> None:
    try:
        name = worker_id(text)
    except BadInputError:
        return

    assert name.isascii()
    assert name.replace("-", "").isalnum()
    assert name == name.lower()
    assert worker_queue(name) == f"worker.{name}"
    assert worker_label(name) == f"worker:{name}"


@given(st.integers(0, 1 << 47), st.integers(0, (1 << 80) - 1))
def test_task_ids_are_read_back_in_either_case(now: int, chance: int) -> None:
    made = new_task_id(now, lambda _: chance)

    assert read_target(made.lower()) == Target(task=made)
    assert created_at(made).timestamp() == pytest.approx(now / 1000, abs=0.001)


@given(st.integers(0, (1 << 48) - 2), st.integers(0, (1 << 80) - 1))
def test_task_ids_sort_by_time(now: int, chance: int) -> None:
    assert new_task_id(now, lambda _: chance) < new_task_id(now + 1, lambda _: 0)


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("#22", 22), ("9999999999", 9999999999)])
def test_issue_numbers(text: str, number: int) -> None:
    assert issue_number(text) == number


@pytest.mark.parametrize(
    "text", ["abc", "0", "-1", "1.5", "", "#", "##1", "٣", "1\n", "1e3", "0x1"]
)
def test_no_issue_numbers(text: str) -> None:
    with pytest.raises(BadInputError, match="is not an issue number"):
        issue_number(text)


@pytest.mark.parametrize("text", [*MODEL_WORDS, "claude-sonnet-5", "claude-opus-4-8[1m]"])
def test_models(text: str) -> None:
    assert model_name(text) == text


@pytest.mark.parametrize(
    "text", ["gpt", "", "Sonnet", "claude-", "claude-x; rm", "--help", "sonnet "]
)
def test_no_models(text: str) -> None:
    with pytest.raises(BadInputError, match="is not a model"):
        model_name(text)


@given(st.text(min_size=1).filter(lambda one: one.strip()[:1] not in {"", "/"} and "\0" not in one))
def test_prompts_are_unchanged(text: str) -> None:
    try:
        raw = text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair is no text
        return

    assert prompt_text(raw) == text


@given(st.binary(max_size=200))
def test_prompts_are_taken_whole_or_refused(raw: bytes) -> None:
    try:
        text = prompt_text(raw)
    except BadInputError:
        return

    assert text.encode() == raw
    assert "\0" not in text


def test_branches() -> None:
    assert branch_name("01ABC", 7) == "issue-7"
    assert branch_name("01ABC", None) == "task-01abc"
