"""Which remarks of reviewers have a pull request mended, and what they are answered: as
`test_repairs_by_pass` has it.
"""

from __future__ import annotations

import pytest

from cw.pulls.record import Cause
from tests.integration.following import Road
from tests.integration.repairing import PERSON, REPO, Yard, hands, hub, road, yard
from tests.standins.github import GitHubStandIn

__all__ = ["hands", "hub", "road", "yard"]  # fixtures


def test_thread_is_seen_to_once_until_somebody_says_more(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    thread = hub.start_thread(REPO, number, "This is wrong", author=PERSON)
    hub.start_thread(REPO, number, "nit: a space", author=PERSON)
    hub.start_thread(REPO, number, "All wrong", author="outsider")
    road.follow()
    wanted = yard.repair().spec.repair
    head = yard.pushes(yard.repair())
    hub.check(REPO, head, "test", "success")
    road.follow()
    road.follow()
    answered = road.record(number)
    hub.answer_thread(REPO, number, thread, "Still wrong", author=PERSON)
    road.follow()
    road.follow()

    assert wanted
    assert (wanted.cause, len(wanted.threads)) == ("review", 1)
    assert (answered.state, answered.cause) == ("needs you", "answered")
    assert road.state(number) == "repairing"
    assert road.record(number).tries(Cause.REVIEW) == 2


def test_reviewers_are_answered_once_and_what_is_fixed_is_resolved(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    for text in ("This is wrong", "Why so?"):
        hub.start_thread(REPO, number, text, author=PERSON)
    hub.review(REPO, number, PERSON, "CHANGES_REQUESTED", "See below")
    road.follow()
    report = "Done.\n\n[1] fixed: renamed it, @owner\n[2] answered: it is faster; closes #1"
    head = yard.pushes(yard.repair(), report=report)
    for _ in range(3):
        road.follow()

    kinds = [(kind, text) for kind, _, text in yard.effects()]
    assert kinds == [
        ("reply", f"Fixed (`{head[:12]}`): renamed it, `@owner`"),
        ("resolve", ""),
        ("reply", "Not changed: it is faster; closes `#1`"),
        ("comment", kinds[3][1]),
    ]
    assert kinds[3][1].startswith(f"What was asked for is seen to in `{head[:12]}`:")


@pytest.mark.parametrize(
    "what", ["cancelled", "neutral", "base", "bot", "stranger", "resolved", "asks", "draft nit"]
)
def test_what_starts_nothing(road: Road, hub: GitHubStandIn, yard: Yard, what: str) -> None:
    number = road.pull()
    branch = road.branch(number)
    hub.check(REPO, branch, "test", "success")
    hub.add_user("reviewer[bot]", "reviewer-token", {REPO: "write"})
    if what in {"cancelled", "neutral"}:
        hub.check(REPO, branch, "test", what)
    elif what == "base":
        hub.check(REPO, branch, "test", "failure")
        hub.check(REPO, "main", "test", "failure")
    elif what == "asks":
        hub.check(REPO, branch, "test", "action_required")
    elif what == "resolved":
        hub.end_thread(REPO, number, hub.start_thread(REPO, number, "Wrong", author=PERSON))
    else:
        author = {"bot": "reviewer[bot]", "stranger": "outsider"}.get(what, PERSON)
        said = "optional: rename it" if what == "draft nit" else "This is wrong"
        hub.start_thread(REPO, number, said, author=author)
    for _ in range(3):
        road.follow()

    assert yard.repairs() == []
    assert road.record(number).rounds == {}


@pytest.mark.parametrize(
    ("report", "told", "rounds"),
    [
        ("[1] fixed: it", ["reply", "resolve"], 2),  # the other thread still waits
        ("All done.", ["reply", "reply"], 1),
    ],
)
def test_thread_that_is_not_answered_is_not_done_with(
    road: Road, hub: GitHubStandIn, yard: Yard, report: str, told: list[str], rounds: int
) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    for text in ("This is wrong", "And this"):
        hub.start_thread(REPO, number, text, author=PERSON)
    road.follow()
    head = yard.pushes(yard.repair(), report=report)
    hub.check(REPO, head, "test", "success")
    for _ in range(3):
        road.follow()

    assert [kind for kind, _, _ in yard.effects()] == told
    assert road.record(number).tries(Cause.REVIEW) == rounds


def test_repair_that_found_nothing_to_see_to_is_not_ordered_again(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    hub.review(REPO, number, PERSON, "CHANGES_REQUESTED")
    road.follow()
    yard.lies(yard.repair(), "nothing_left", "its reviewers ask for nothing any more")
    for _ in range(3):
        road.follow()

    assert yard.repairs() == []
    assert road.record(number).waits == "owner asked for changes, and has to look again"


def test_bot_that_is_named_is_heard(road: Road, hub: GitHubStandIn, yard: Yard) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    hub.add_user("reviewer[bot]", "reviewer-token", {REPO: "write"})
    hub.start_thread(REPO, number, "This is wrong", author="reviewer[bot]")
    road.follow(pulls_bots=("Reviewer[bot]",))

    assert yard.repair().spec.repair
