"""`cw merge`: as it is typed, and with what happens between two steps; against the stand-in over
HTTP, with a real store.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

import pytest

from cw.errors import GitHubRefusedError
from cw.forges.pulls import MergeMethod
from cw.operations.pulls.follow import LOCK
from cw.operations.pulls.merge import Merger, MergeRow
from cw.operations.pulls.merge_plan import plan
from tests.conftest import Cw
from tests.integration.assigning import BOT
from tests.integration.following import Hands, Road
from tests.integration.test_follow_pulls import PERSON, REPO, hands, hub, road
from tests.standins.github import GitHubStandIn
from tests.terminal import Terminal

__all__ = ["hands", "hub", "road"]  # fixtures


def ready(road: Road, *changes: dict[str, str]) -> list[int]:
    """Pull requests that have been so for an hour, by the broker's own clock as well."""
    numbers = [road.pull(files=files) for files in changes]
    road.follow(timedelta(minutes=6))
    for number in numbers:
        assert road.state(number) == "ready"
        road.age(number)
    return numbers


def names(numbers: list[int]) -> list[str]:
    return [f"{REPO}#{number}" for number in numbers]


def merger(road: Road) -> Merger:
    """Which does not pause."""
    return Merger(ways=road.office.ways(), pause=lambda _: None)


def patient(road: Road, hands: Hands, tell: Callable[[str, float], None]) -> Merger:
    """Which waits, by a clock that its pauses move on."""

    def pause(seconds: float) -> None:
        hands.later += timedelta(seconds=seconds)

    now = road.store.tasks.now
    return Merger(
        ways=road.office.ways(),
        wait=True,
        tell=tell,
        pause=pause,
        clock=lambda: now() + hands.later,
    )


def merge(road: Road, *numbers: int) -> list[MergeRow]:
    one = merger(road)
    return list(one.merge(plan(one, names(list(numbers)))))


def merged(hub: GitHubStandIn) -> set[int]:
    return {pull.number for pull in hub.pulls(REPO) if pull.merged}


def test_three_are_merged_in_the_order_that_conflicts_least(
    road: Road, hub: GitHubStandIn, cw: Cw
) -> None:
    wide, one, other = ready(road, {"a": "1\n", "b": "1\n"}, {"a": "1\n"}, {"b": "1\n"})
    heads = {pull.number: pull.head_sha for pull in hub.pulls(REPO)}

    done = road.cw(cw, "merge", "--json", *names([wide, one, other]))

    rows = json.loads(done.stdout)
    lines = json.loads(road.cw(cw, "audit", "--json").stdout)
    assert done.returncode == 0, done.stderr
    assert [(row["number"], row["result"], row["method"]) for row in rows] == [
        (one, "merged", "squash"),
        (other, "merged", "squash"),
        (wide, "merged", "squash"),
    ]
    assert rows[2]["shares"] == [one, other]
    assert [row["commit"] for row in rows] == [
        next(pull.merge_sha for pull in hub.pulls(REPO) if pull.number == row["number"])
        for row in rows
    ]
    assert [(line["what"], line["facts"]["pull"], line["facts"]["head"]) for line in lines] == [
        ("merge", f"{REPO}#{number}", heads[number]) for number in (one, other, wide)
    ]


def test_beat_s_next_pass_sees_the_merge_with_all_that_follows(
    road: Road, hub: GitHubStandIn, cw: Cw
) -> None:
    (number,) = ready(road, {"a": "1\n"})
    said = road.cw(cw, "merge", str(number)).stdout
    waits = road.record(number).waits

    done = road.follow(timedelta())

    assert f"{REPO}#{number} is merged as " in said
    assert waits == "merged; the next pass records it"
    assert done.merged
    assert road.state(number) == "merged"


def test_one_that_conflicts_after_a_merge_is_left_and_the_rest_go_on(
    road: Road, hub: GitHubStandIn, cw: Cw
) -> None:
    first, second, third = ready(
        road, {"a": "1\n", "c": "1\n"}, {"a": "2\n", "c": "1\n"}, {"c": "1\n", "a": "1\n"}
    )

    done = road.cw(cw, "merge", *names([third, second, first]))

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"cw: {REPO}#{second} is not merged: needs you: it conflicts with main"
    ]
    assert merged(hub) == {first, third}


def test_one_that_is_not_ready_is_refused_with_what_it_waits_for(
    road: Road, hub: GitHubStandIn, cw: Cw
) -> None:
    red = road.pull()
    hub.check(REPO, road.branch(red), "test", "failure")
    (fine,) = ready(road, {"b": "1\n"})
    road.age(red)

    alone = road.cw(cw, "merge", str(red))
    as_json = road.cw(cw, "merge", "--json", str(red))
    before = merged(hub)
    both = road.cw(cw, "merge", *names([red, fine]))

    said = f"cw: {REPO}#{red} is not merged: needs you: red: CI / test"
    assert (alone.returncode, alone.stderr.splitlines()) == (2, [said])
    assert [(row["result"], row["why"]) for row in json.loads(as_json.stdout)] == [
        ("left", "needs you: red: CI / test")
    ]
    assert as_json.returncode == 2
    assert before == set()
    assert (both.returncode, both.stderr.splitlines()) == (1, [said])
    assert merged(hub) == {fine}


def test_head_that_moved_before_its_turn_is_not_merged(
    road: Road, hub: GitHubStandIn, hands: Hands
) -> None:
    """Not even once the new one is ready."""
    first, second = ready(road, {"a": "1\n"}, {"b": "1\n"})

    waits: list[str] = []
    one = patient(road, hands, lambda what, _: waits.append(what))
    rows = plan(one, names([first, second]))
    hub.add_commit(REPO, road.branch(second), {"d": "1\n"}, actor=f"{BOT}[bot]")
    hub.check(REPO, road.branch(second), "test", "success")
    done = list(one.merge(rows))

    assert [(row.number, row.result, row.why) for row in done] == [
        (first, "merged", ""),
        (second, "left", "its head is another one than was looked at"),
    ]
    assert set(waits) == {f"{REPO}#{second}: it changed a moment ago"}


def test_checks_that_run_are_waited_for_when_that_is_wanted(
    road: Road, hub: GitHubStandIn, hands: Hands
) -> None:
    first, second = ready(road, {"a": "1\n"}, {"b": "1\n"})
    waits: list[str] = []

    def tell(what: str, _: float) -> None:
        waits.append(what)
        if what == runs:
            hub.check(REPO, road.branch(second), "test", "success")

    runs = f"{REPO}#{second}: checks run: CI / test"
    rows = plan(merger(road), names([first, second]))
    hub.check(REPO, road.branch(second), "test")

    left = list(merger(road).merge(rows))
    done = list(patient(road, hands, tell).merge(rows[1:]))

    assert [row.result for row in left] == ["merged", "left"]
    assert left[1].why == "checking: it changed a moment ago"
    assert runs in waits
    assert [row.result for row in done] == ["merged"]


def test_whether_it_can_be_merged_is_waited_for_after_each_merge(
    road: Road, hub: GitHubStandIn
) -> None:
    (number,) = ready(road, {"a": "1\n"})
    one = merger(road)
    rows = plan(one, [str(number)])
    hub.forget_mergeable(REPO, number, answers=4)  # two glances and two looks

    assert [row.result for row in one.merge(rows)] == ["merged"]


def test_another_pass_is_waited_for(road: Road) -> None:
    (number,) = ready(road, {"a": "1\n"})
    waits: list[str] = []

    with ExitStack() as other:
        other.enter_context(road.store.locks.held(LOCK))
        one = Merger(
            ways=road.office.ways(),
            tell=lambda what, _: waits.append(what),
            pause=lambda _: other.close(),
        )
        rows = plan(one, [str(number)])

    assert [row.result for row in rows] == ["planned"]
    assert waits == ["another pass over pull requests"]


def test_token_that_may_not_merge_is_told_so(road: Road, hub: GitHubStandIn, cw: Cw) -> None:
    (number,) = ready(road, {"a": "1\n"})
    hub.set_permission(REPO, BOT, "read")

    done = road.cw(cw, "merge", str(number))

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"cw: {REPO}#{number} is not merged: GitHub refused: ")
    assert merged(hub) == set()


def test_github_refuses_a_head_that_is_not_the_one_and_what_cannot_be_merged(
    road: Road, hub: GitHubStandIn
) -> None:
    """Its REST API: 409 and 405 of "Merge a pull request"."""
    (number,) = ready(road, {"a": "1\n"})
    old = road.record(number).head
    head = hub.add_commit(REPO, road.branch(number), {"b": "1\n"}, actor=PERSON)
    github = road.office.ways().github

    with pytest.raises(GitHubRefusedError, match="its head is another one than was looked at"):
        github.merge(REPO, number, head=old, method=MergeMethod.SQUASH)
    with pytest.raises(GitHubRefusedError, match="does not merge it: Rebase merges are not"):
        github.merge(REPO, number, head=head, method=MergeMethod.REBASE)
    hub.add_commit(REPO, "main", {"a": "other\n"})
    with pytest.raises(GitHubRefusedError, match="does not merge it: Pull Request is not"):
        github.merge(REPO, number, head=head, method=MergeMethod.SQUASH)

    assert merged(hub) == set()


def test_merge_whose_answer_was_lost_is_found_again(road: Road, hub: GitHubStandIn) -> None:
    (number,) = ready(road, {"a": "1\n"})
    hub.fault(method="PUT", path_regex="/merge$", status=502, after_effect=True)

    (row,) = merge(road, number)

    assert (row.result, row.commit) == ("merged", "")


def test_base_that_github_still_works_on_is_tried_again(road: Road, hub: GitHubStandIn) -> None:
    (number,) = ready(road, {"a": "1\n"})
    busy = {"message": "Base branch was modified. Review and try the merge again."}
    hub.fault(method="PUT", path_regex="/merge$", status=405, body=busy)

    (row,) = merge(road, number)

    assert (row.result, row.commit != "") == ("merged", True)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ((), "Missing argument"),
        (("what?",), "is no pull request"),
        (("acme/none#7",), "no pull request of a task is acme/none#7"),
        (("2", "acme/none#7"), "no pull request of a task is acme/none#7"),
        (("2", "--method", "rebase"), "acme/app does not allow --method rebase"),
        (("2", "--method", "nonsense"), "nonsense"),
    ],
)
def test_what_cannot_be_used_merges_nothing(
    road: Road, hub: GitHubStandIn, cw: Cw, typed: tuple[str, ...], words: str
) -> None:
    assert ready(road, {"a": "1\n"}) == [2]

    done = road.cw(cw, "merge", *typed)

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert words in done.stderr
    assert merged(hub) == set()


def test_dry_run_says_what_would_be_done(road: Road, hub: GitHubStandIn, cw: Cw) -> None:
    first, second = ready(road, {"a": "1\n"}, {"a": "1\n"})
    url = f"http://github.localhost/{REPO}/pull/{second}"

    done = road.cw(cw, "merge", "--dry-run", "--method", "merge", f"#{first}", url, str(second))

    assert done.returncode == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [
        [f"{REPO}#{first}", "merge"],
        [f"{REPO}#{second}", "merge"],
    ]
    assert f"#{second}" in done.stdout.splitlines()[1]
    assert merged(hub) == set()


def test_it_asks_once_on_a_terminal(
    road: Road, hub: GitHubStandIn, cw_environ: dict[str, str]
) -> None:
    first, second = ready(road, {"a": "1\n"}, {"b": "1\n"})
    env = cw_environ | road.env()

    with Terminal(env, "merge", *names([first, second])) as screen:
        screen.wait_for("Merge these 2 pull requests, in this order? [y/N]: ")
        screen.type("n\n")
        no = screen.finish()
    before = merged(hub)
    with Terminal(env, "merge", *names([first, second])) as screen:
        screen.wait_for("[y/N]: ")
        screen.type("y\n")
        yes = screen.finish()

    assert (no, before) == (1, set())
    assert (yes, merged(hub)) == (0, {first, second})


def test_ctrl_c_leaves_the_rest_and_says_which(
    road: Road, hub: GitHubStandIn, cw_environ: dict[str, str]
) -> None:
    first, second = ready(road, {"a": "1\n"}, {"b": "1\n"})

    with Terminal(cw_environ | road.env(), "merge", "--wait", *names([first, second])) as screen:
        screen.wait_for("[y/N]: ")
        hub.forget_mergeable(REPO, second, answers=1000)
        screen.type("y\n")
        screen.wait_for(f"waiting for {REPO}#{second}: GitHub works out")
        screen.process.send_signal(signal.SIGINT)
        code = screen.finish()

    assert code == 130
    assert f"interrupted; not merged: {REPO}#{second}" in screen.text
    assert merged(hub) == {first}
