"""Which branch a task takes: free, or ours; never what somebody else has begun, or what is over."""

from __future__ import annotations

from typing import Any

import pytest

from cw.errors import BadInputError
from cw.forges.pulls import Pull
from cw.models import MOST_BRANCHES
from cw.operations.dispatch.branch_choice import Choice, Standing, choose, left_by, unpushed_by
from cw.states import OutcomeKind, State
from tests.making import make_outcome, make_spec, make_task

OURS, THEIRS, OLD = "a" * 40, "b" * 40, "c" * 40


def pull(state: str, **more: Any) -> Pull:
    is_open, merged = state == "open", state == "merged"
    one = Pull(7, "https://github.dev/p/7", OURS, open=is_open, draft=False, merged=merged)
    return Pull(**{name: getattr(one, name) for name in one.__slots__} | more)


def chosen(*branches: Standing, earlier: str = "", goes_on: bool = False) -> Choice:
    """`branches`: issue-22, issue-22-2 and so on, as they stand."""
    spec = make_spec(issue=22).model_copy(
        update={"earlier": {"issue-22": earlier} if earlier else {}, "goes_on": goes_on}
    )
    names = {spec.branch_name(at): one for at, one in enumerate(branches, 1)}
    return choose(spec, lambda name: names.get(name, Standing()), lambda sha: sha == OLD)


MINE = pull("open", ours=True)
ALICES = pull("open", author="alice")


@pytest.mark.parametrize(
    ("seen", "typed", "branch", "words"),
    [
        (Standing(), {}, "issue-22", ""),
        (Standing(OLD), {}, "issue-22", ""),
        (Standing(OURS, (MINE,)), {}, "issue-22", ""),
        (Standing(OURS), {"earlier": OURS}, "issue-22", "earlier task left"),
        (Standing(THEIRS), {"earlier": OURS}, "issue-22", "somebody else was there too"),
        (Standing(OURS, (ALICES,)), {"earlier": OURS}, "issue-22", ""),
        (Standing(THEIRS), {}, "issue-22-2", "somebody else's"),
        (Standing(THEIRS), {"goes_on": True}, "issue-22", "--continue"),
        (Standing(THEIRS, (ALICES,)), {}, "issue-22-2", "alice"),
        (Standing(THEIRS, (ALICES,)), {"goes_on": True}, "issue-22", "alice"),
        (Standing(OURS, (pull("merged"),)), {"earlier": OURS}, "issue-22-2", "merged"),
        (Standing(OURS, (pull("merged"),)), {"goes_on": True}, "issue-22-2", "merged"),
        (Standing("", (pull("merged"),)), {}, "issue-22-2", "used up"),
        (Standing(OURS, (pull("closed"),)), {"earlier": OURS}, "issue-22-2", "closed"),
        (Standing(OURS, (pull("closed"),)), {"goes_on": True}, "issue-22", "closed"),
        (Standing("", (pull("closed"),)), {"goes_on": True}, "issue-22-2", "closed"),
        (Standing(OURS, (MINE, pull("merged"))), {}, "issue-22", ""),
    ],
)
def test_only_free_branches_and_ours_are_taken(
    seen: Standing, typed: dict[str, Any], branch: str, words: str
) -> None:
    choice = chosen(seen, **typed)

    assert choice.branch == branch
    assert words in "; ".join(choice.told)
    assert bool(choice.told) == bool(words)


def test_names_are_asked_for_in_turn() -> None:
    used = Standing(OURS, (pull("merged"),))

    choice = chosen(used, Standing(THEIRS), used)

    assert choice.branch == "issue-22-4"
    assert len(choice.told) == 4
    assert choice.left  # the second, with which a person may want to go on


def test_issue_whose_names_are_all_taken_is_refused() -> None:
    with pytest.raises(BadInputError, match="used up"):
        chosen(*[Standing(THEIRS)] * MOST_BRANCHES)


def test_branches_of_earlier_tasks_are_handed_on() -> None:
    """Also past a task that never began."""
    done = make_outcome(OutcomeKind.FAILED).model_copy(
        update={"branch": "issue-22", "head": OURS, "pushed": True}
    )
    first = make_task(State.DONE).model_copy(update={"outcome": done})
    spec = make_spec(issue=22).model_copy(update={"earlier": left_by(first)})
    never = make_task(State.DONE).model_copy(
        update={"spec": spec, "outcome": make_outcome(OutcomeKind.FAILED)}
    )

    assert left_by(never) == left_by(first) == {"issue-22": OURS}
    assert left_by(None) == {}


def test_only_what_others_have_taken_is_passed_with_what_could_not_be_pushed() -> None:
    over = Standing(OURS, (pull("merged"),))
    turned_down = Standing(OURS, (pull("closed"),))

    choice = chosen(over, Standing(THEIRS), turned_down, Standing(THEIRS, (ALICES,)))

    assert (choice.branch, choice.passed) == ("issue-22-5", ("issue-22-2", "issue-22-4"))


def test_where_commits_are_that_could_not_be_pushed_is_handed_on_until_they_are() -> None:
    kept = {"kept": "refs/cw/wip/x", "head": OURS, "clone": "/w/01/app", "branch": "issue-22"}
    refused = make_outcome(OutcomeKind.FAILED).model_copy(update=kept)
    first = make_task(State.DONE, worker="01", host="east").model_copy(update={"outcome": refused})
    said = unpushed_by(first)
    after = make_task(State.DONE, spec=make_spec(unpushed=said))
    failed = make_outcome(OutcomeKind.FAILED)
    pushed = failed.model_copy(update={"pushed": True, "head": OURS})

    assert "refs/cw/wip/x in /w/01/app of worker 01 on host east" in said
    assert unpushed_by(after.model_copy(update={"outcome": failed})) == said
    assert unpushed_by(after.model_copy(update={"outcome": pushed})) == ""
    assert unpushed_by(None) == ""
