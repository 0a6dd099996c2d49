"""Which pull request is merged when, how, and which is not."""

from __future__ import annotations

from typing import Any

import pytest

from cw.forges.pulls import MergeMethod
from cw.pulls.merging import (
    Change,
    choose_method,
    in_order,
    refusal,
    seen_change,
    settling,
    sharing,
)
from cw.pulls.record import Shown
from cw.pulls.show import shown
from cw.pulls.states import PullState
from tests.unit.pulling import make_look, make_record, make_seen

SQUASH, MERGE, REBASE = MergeMethod


def make_change(number: int, files: str, base: str = "main", place: str = "@7") -> Change:
    return Change(place=place, number=number, base=base, files=frozenset(files))


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        ([], []),
        ([make_change(2, "a"), make_change(1, "b")], [1, 2]),  # strangers: the oldest first
        ([make_change(1, "ab"), make_change(2, "a"), make_change(3, "b")], [2, 3, 1]),
        ([make_change(1, "ab"), make_change(2, "ab"), make_change(3, "c")], [3, 1, 2]),
        ([make_change(9, "a"), make_change(3, "a"), make_change(5, "a")], [3, 5, 9]),
        # One file that two others change counts once.
        ([make_change(1, "abc"), make_change(2, "ab"), make_change(3, "a")], [3, 1, 2]),
        # On another base, or in another repository, the same name is another file.
        ([make_change(1, "a"), make_change(2, "a", "next"), make_change(3, "a")], [2, 1, 3]),
        ([make_change(1, "a"), make_change(2, "a", place="@8"), make_change(3, "a")], [2, 1, 3]),
        ([make_change(1, "a"), make_change(1, "a", place="@8")], [1, 1]),
    ],
)
def test_fewest_shared_files_first_and_the_oldest_of_equals(
    changes: list[Change], order: list[int]
) -> None:
    assert [one.number for one in in_order(changes)] == order
    assert in_order(reversed(changes)) == in_order(changes)


def test_which_others_change_the_same_files() -> None:
    one = make_change(1, "ab")
    others = [one, make_change(3, "b"), make_change(2, "a"), make_change(4, "a", "next")]

    assert sharing(one, others) == (2, 3)


def test_what_was_seen_last_is_compared_by_repository_and_base() -> None:
    seen = make_record(repo_id=9, number=3, shown=Shown(base="next", paths=("a", "b")))

    assert seen_change(seen) == make_change(3, "ab", "next", place="@9")


@pytest.mark.parametrize(
    ("paths", "kept"),
    [((), 0), (("a", "b"), 2), (tuple(f"{'x' * 79}{at % 10}" for at in range(101)), 100)],
)
def test_record_keeps_no_more_of_paths_than_it_holds(paths: tuple[str, ...], kept: int) -> None:
    assert shown(make_seen(make_look(paths=paths))).paths == paths[:kept]


@pytest.mark.parametrize(
    ("allowed", "wanted", "chosen"),
    [
        ((SQUASH, MERGE, REBASE), None, SQUASH),
        ((MERGE, REBASE), None, MERGE),
        ((REBASE, MERGE), None, MERGE),
        ((REBASE,), None, REBASE),
        ((), None, None),
        ((SQUASH, MERGE), MERGE, MERGE),
        ((SQUASH, MERGE), REBASE, None),
    ],
)
def test_method_is_one_that_the_repository_allows(
    allowed: tuple[MergeMethod, ...], wanted: MergeMethod | None, chosen: MergeMethod | None
) -> None:
    assert choose_method(allowed, wanted) is chosen


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"state": PullState.READY}, ""),
        ({"state": PullState.MERGED}, "it is merged already"),
        ({"state": PullState.CLOSED}, "it is closed already"),
        ({"state": PullState.NEEDS_YOU, "waits": "red: CI"}, "needs you: red: CI"),
        ({"state": PullState.CHECKING, "waits": "checks run: CI"}, "checking: checks run: CI"),
        ({"state": PullState.HANDS_OFF, "waits": "ann said so"}, "hands off: ann said so"),
        (
            {"state": PullState.READY, "shown": Shown(draft=True)},
            "a draft: mark it ready for review first",
        ),
        (
            {"state": PullState.READY, "shown": Shown(review="wanted")},
            "it waits for a review",
        ),
        ({"state": PullState.READY, "shown": Shown(review="approved")}, ""),
    ],
)
def test_only_what_is_ready_is_merged(changed: dict[str, Any], why: str) -> None:
    assert refusal(make_record(**changed)) == why


@pytest.mark.parametrize(
    ("state", "conflicts", "settles"),
    [
        (PullState.CHECKING, "", True),
        (PullState.CHECKING, "no", False),  # its checks run
        (PullState.NEEDS_YOU, "yes", False),
        (PullState.READY, "no", False),
    ],
)
def test_whether_it_can_be_merged_is_waited_for(
    state: PullState, conflicts: str, *, settles: bool
) -> None:
    assert settling(make_record(state=state, shown=Shown(conflicts=conflicts))) is settles
