"""What becomes of a pull request, as a table."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cw.forges.watched import CheckState, Mergeable, Unread
from cw.pulls.record import Cause, PullRecord, next_look
from cw.pulls.show import needs_look, shown
from cw.pulls.states import OPEN, TRANSITIONS, PullMove, PullState, move_to, sources, target
from cw.pulls.verdict import judge
from cw.pulls.wants import Wants
from tests.making import NOW
from tests.unit.pulling import make_check, make_glance, make_look, make_record, make_seen

GREEN, RED = CheckState.GREEN, CheckState.RED
PENDING, NEUTRAL, ASKS = CheckState.PENDING, CheckState.NEUTRAL, CheckState.ASKS
HOUR = timedelta(hours=1)
CONFLICT = {"mergeable": Mergeable.NO}
ASKS_ANN = {"wants": Wants(changes=("ann",))}
JUST_NOW = {"moved_at": NOW - timedelta(seconds=59)}


def checks(*states: CheckState, **changed: Any) -> dict[str, Any]:
    made = [make_check(f"c{at}", state, **changed) for at, state in enumerate(states)]
    return {"checks": tuple(made)}


@pytest.mark.parametrize(
    ("look", "more", "state", "cause", "words"),
    [
        # its end comes first, whatever else is the matter
        ({"open": False, "merged": True}, {}, "merged", None, ""),
        ({"open": False}, {}, "closed", None, ""),
        ({"open": False, **CONFLICT, **checks(RED)}, {"hands": ("x",)}, "closed", None, ""),
        # then a person's word, then a task of ours
        (CONFLICT, {"hands": ("ann said so", "it carries x")}, "hands off", None, "ann said so; i"),
        (checks(RED), {"hands": ("ann said so",), "task": "T"}, "hands off", None, "ann said so"),
        (checks(RED), {"task": "T"}, "watching", None, "task T works on it"),
        # nothing is judged while it moves, or is not known
        (checks(RED), JUST_NOW, "checking", None, "a moment ago"),
        (checks(RED), {"head_at": NOW - timedelta(seconds=5)}, "checking", None, "a moment"),
        (CONFLICT, JUST_NOW, "checking", None, "a moment ago"),
        (checks(RED), {"moved_at": NOW - timedelta(seconds=60)}, "needs you", "checks", "red: c0"),
        ({"mergeable": Mergeable.UNKNOWN}, {}, "checking", None, "whether it can be merged"),
        ({"mergeable": Mergeable.UNKNOWN, **checks(RED)}, {}, "checking", None, "whether it can"),
        (checks(PENDING, GREEN), {}, "checking", None, "checks run: c0"),
        (checks(PENDING, RED), {}, "checking", None, "checks run: c0"),
        ({**CONFLICT, **checks(PENDING)}, {}, "checking", None, "checks run: c0"),
        # a repository without checks
        ({}, {"head_at": NOW - timedelta(minutes=4)}, "checking", None, "no check has begun"),
        ({}, {"head_at": NOW - timedelta(minutes=5)}, "ready", None, "a look, and the merge"),
        (CONFLICT, {"head_at": NOW - timedelta(minutes=4)}, "needs you", "conflict", "with main"),
        # which ends of a check are red
        (checks(RED), {}, "needs you", "checks", "red: c0"),
        (checks(GREEN, NEUTRAL), {}, "ready", None, "a look"),
        (checks(NEUTRAL), {}, "ready", None, "a look"),
        (checks(ASKS, GREEN), {}, "needs you", "asks", "waits to be let run: c0"),
        (checks(RED, RED, RED, RED, RED), {}, "needs you", "checks", "c0, c1, c2 and 2 more"),
        # pending for too long is said, and waited for no more
        (checks(PENDING, since=NOW - HOUR), {}, "ready", None, "a look"),
        (checks(PENDING, since=NOW - HOUR + timedelta(seconds=1)), {}, "checking", None, "c0"),
        (
            checks(PENDING, since=NOW - HOUR, required=True),
            {},
            "needs you",
            "stuck",
            "over an hour",
        ),
        (checks(PENDING, since=None), {}, "ready", None, "a look"),
        (checks(PENDING, since=None), {"head_at": NOW - HOUR / 2}, "checking", None, "c0"),
        # red on the base as well is not ours
        (
            {**checks(RED), "red_on_base": {"c0"}},
            {},
            "needs you",
            "base",
            "on main as well, so not",
        ),
        ({**checks(RED, RED), "red_on_base": {"c0"}}, {}, "needs you", "checks", "red: c1; red on"),
        ({**checks(GREEN), "red_on_base": {"c0"}}, {}, "ready", None, "a look"),
        # checks that the token may not read
        ({"unread": Unread()}, {}, "needs you", "unread", "checks: not readable with this token"),
        ({"unread": Unread(), **checks(GREEN)}, {}, "needs you", "unread", "checks: not readable"),
        ({"unread": Unread(state=RED)}, {}, "needs you", "unread", "a check is red that is not"),
        ({"unread": Unread(state=RED), **checks(PENDING)}, {}, "checking", None, "checks run: c0"),
        ({"unread": Unread(state=GREEN)}, {}, "ready", None, "a look"),
        (
            {"unread": Unread(state=GREEN)},
            {"head_at": NOW - timedelta(minutes=4)},
            "ready",
            None,
            "a look",
        ),
        (
            {"unread": Unread(state=PENDING), **checks(GREEN)},
            {"moved_at": NOW - timedelta(minutes=59)},
            "checking",
            None,
            "checks run: some that this token cannot read",
        ),
        ({"unread": Unread(state=PENDING)}, {}, "needs you", "unread", "pending for over an hour"),
        ({**CONFLICT, "unread": Unread()}, {}, "needs you", "conflict", "main; checks: not read"),
        # reviews
        ({}, ASKS_ANN, "needs you", "review", "ann asks for changes"),
        ({}, {"wants": Wants(threads=("T",))}, "needs you", "review", "1 open thread of"),
        (
            {},
            {"wants": Wants(changes=("ann", "ben"), threads=("T", "U"))},
            "needs you",
            "review",
            "2 open threads",
        ),
        ({"wants_review": True}, {}, "ready", None, "a review"),
        ({"approved": True}, {}, "ready", None, "approved: merge it"),
        ({"approved": True, "draft": True}, {}, "ready", None, "a draft"),
        # the first cause to be mended comes first, and hides none of the others
        (
            {**CONFLICT, **checks(RED)},
            {"wants": Wants(changes=("ann",), threads=("T",))},
            "needs you",
            "conflict",
            "it conflicts with main; red: c0; ann asks for changes, 1 open thread of the review",
        ),
        (checks(RED), ASKS_ANN, "needs you", "checks", "red: c0; ann asks"),
        (checks(ASKS), ASKS_ANN, "needs you", "asks", "c0; ann asks"),
        ({**CONFLICT, "approved": True}, {}, "needs you", "conflict", "it conflicts with main"),
    ],
)
def test_verdict(
    look: dict[str, Any], more: dict[str, Any], state: str, cause: str | None, words: str
) -> None:
    verdict = judge(make_seen(make_look(**look), **more))

    assert (verdict.state.value, verdict.cause) == (state, cause and Cause(cause))
    assert words in verdict.waits


def test_required_checks_are_named_first() -> None:
    both = (make_check("a", RED), make_check("b", RED, required=True))

    assert judge(make_seen(make_look(checks=both))).waits == "red: b, a"


@pytest.mark.parametrize(
    ("look", "phrase"),
    [
        ({}, "none"),
        (checks(GREEN, GREEN, RED), "1 red, 2 green"),
        ({**checks(RED, PENDING), "red_on_base": {"c0"}}, "1 red on the base too, 1 pending"),
        (checks(PENDING, since=NOW - HOUR), "1 pending for over an hour"),
        ({"unread": Unread()}, "not readable with this token"),
        ({"unread": Unread(), **checks(GREEN)}, "1 green, not readable with this token"),
        ({"unread": Unread(state=RED)}, "red: not readable with this token which"),
        ({"unread": Unread(state=GREEN)}, "all green"),
    ],
)
def test_checks_in_a_phrase(look: dict[str, Any], phrase: str) -> None:
    assert make_seen(make_look(**look)).checks.words == phrase


def test_every_move_is_in_the_table_and_every_look_has_one() -> None:
    looked = set(PullState) - {PullState.REPAIRING}

    assert set(TRANSITIONS) == set(PullMove)
    assert {target(move_to(state)) for state in looked} == looked


@pytest.mark.parametrize("move", set(PullMove) - {PullMove.BEGIN, PullMove.CLEAR})
def test_what_has_ended_begins_again_with_a_later_task_alone(move: PullMove) -> None:
    origins, _ = TRANSITIONS[move]

    assert origins <= OPEN
    assert set(sources(move).strip(",").split(",")) == {state.value for state in origins}


def test_nothing_is_cleared_before_a_merge_and_nothing_moves_by_it() -> None:
    assert TRANSITIONS[PullMove.CLEAR] == (frozenset({PullState.MERGED}), PullState.MERGED)


@pytest.mark.parametrize("state", sorted(OPEN))
def test_every_open_state_ends_with_a_merge_or_a_close(state: PullState) -> None:
    assert state in TRANSITIONS[PullMove.MERGE][0] & TRANSITIONS[PullMove.CLOSE][0]


@pytest.mark.parametrize(
    ("state", "quiet", "wait"),
    [
        (PullState.CHECKING, timedelta(hours=9), timedelta()),
        (PullState.READY, timedelta(), timedelta()),
        (PullState.READY, timedelta(minutes=8), timedelta(minutes=1)),
        (PullState.NEEDS_YOU, timedelta(hours=1), timedelta(minutes=7, seconds=30)),
        (PullState.READY, timedelta(days=3), timedelta(minutes=15)),
        (PullState.READY, timedelta(seconds=-5), timedelta()),
    ],
)
def test_looks_grow_rare_while_nothing_moves(
    state: PullState, quiet: timedelta, wait: timedelta
) -> None:
    assert next_look(state, NOW - quiet, NOW) == NOW + wait


def looked_at(**changed: Any) -> PullRecord:
    kept = {"looked_at": NOW, "mark": "m", "shown": shown(make_seen()), "state": PullState.READY}
    return make_record(**kept | changed)


@pytest.mark.parametrize(
    ("record", "glance", "wanted"),
    [
        ({}, {}, False),
        ({"state": PullState.HANDS_OFF}, {}, False),
        ({}, {"mark": "other"}, True),
        ({}, {"mergeable": Mergeable.NO}, True),
        ({}, {"mergeable": Mergeable.UNKNOWN}, True),
        ({"state": PullState.CHECKING}, {}, True),
        ({"state": PullState.NEEDS_YOU}, {}, True),
        ({"state": PullState.WATCHING}, {}, True),
        ({"looked_at": NOW - HOUR}, {}, True),
        ({"looked_at": None}, {}, True),
    ],
)
def test_what_did_not_move_is_not_looked_at_wholly(
    record: dict[str, Any], glance: dict[str, Any], wanted: bool
) -> None:
    assert needs_look(looked_at(**record), make_glance(**glance), NOW) is wanted


def test_page_names_every_state_and_cause() -> None:
    page = (Path(__file__).parents[2] / "docs" / "pull-requests.md").read_text("utf-8")
    states = page.partition("\n## States\n")[2].partition("\n## ")[0]

    assert {state for state in PullState if state.value not in states} == set()
    assert {cause for cause in Cause if f"| `{cause}` |" not in page} == set()
