"""A task's story from whatever is known of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cw.models import Event
from cw.operations.views.attempts import attempts, from_archive
from cw.operations.views.history import Finished, Wanted, from_record, merge, take
from cw.operations.views.timeline import TimelineEntry, request, timeline
from cw.states import OutcomeKind, State
from tests.making import NOW, make_journal, make_outcome, make_spec, make_task

MINUTE = timedelta(minutes=1)


def event(kind: str, minutes: int, **data: Any) -> Event:
    return Event(at=NOW + minutes * MINUTE, kind=kind, text=kind, data=data)


def archive(number: int, began: int, ended: int, kind: OutcomeKind) -> dict[str, Any]:
    book = make_journal()
    run = book.run.model_copy(
        update={
            "attempt": number,
            "started_at": NOW + began * MINUTE,
            "ended_at": NOW + ended * MINUTE,
        }
    )
    outcome = make_outcome(kind, turns=4, cost_usd=0.5)
    whole = book.model_copy(update={"run": run, "outcome": outcome})
    found: dict[str, Any] = whole.model_dump(mode="json")
    return found


def test_archives_tell_earlier_attempts_and_the_record_the_last() -> None:
    task = make_task(
        State.RUNNING, attempt=2, started_at=NOW + 9 * MINUTE, session="s2", worker="01", host="h"
    )
    old = archive(1, 0, 5, OutcomeKind.DEFERRED)

    first, second = attempts(task, [old], [], event("text", 10, turns=7))

    assert (first.turns, first.cost_usd, first.session) == (4, 0.5, "s")
    assert (second.attempt, second.turns, second.cost_usd) == (2, 7, None)
    assert (second.session, second.worker, second.outcome) == ("s2", "01", None)


def test_without_archives_the_events_tell_how_often_it_ran() -> None:
    task = make_task(State.DONE, attempt=3, started_at=NOW + 8 * MINUTE, ended_at=NOW + 9 * MINUTE)
    events = [event("init", 4), event("end", 5), event("init", 8), event("end", 9)]

    found = attempts(task, [], events, None)

    assert [(one.attempt, one.ended_at) for one in found] == [
        (2, NOW + 5 * MINUTE),
        (3, NOW + 9 * MINUTE),
    ]


def test_archive_that_is_none_is_passed() -> None:
    assert from_archive({"run": None}) is None
    assert from_archive({"run": {"attempt": "x"}}) is None
    assert attempts(make_task(State.QUEUED), [{}], [], None) == []


def test_timeline_is_in_order_and_ends_where_the_record_stands() -> None:
    task = make_task(
        State.HELD,
        spec=make_spec(created_at=NOW, created_by="ann@box", wanted_worker="01"),
        attempt=1,
        started_at=NOW + MINUTE,
        ended_at=NOW + 4 * MINUTE,
        not_before=NOW + 60 * MINUTE,
        reason="usage limit",
    )
    events = [event("limit", 3), event("init", 2)]
    runs = attempts(task, [archive(1, 1, 4, OutcomeKind.DEFERRED)], events, None)

    steps = timeline(task, runs, events)

    assert [one.what.split(" on ")[0] for one in steps][:4] == [
        "queued for worker 01 by ann@box",
        "attempt 1 began",
        "agent began: init",
        "usage limit, limit",
    ]
    assert steps[-1].what.endswith(": usage limit")
    assert steps == sorted(steps, key=lambda one: one.at)
    assert TimelineEntry(at=NOW, what="queued for worker 01 by ann@box") in steps


def test_request_shows_the_head_of_a_long_prompt() -> None:
    asked = request(make_task(State.QUEUED), "\n".join(["x" * 500, *map(str, range(20))]))

    assert len(asked.prompt_head) == 8
    assert len(asked.prompt_head[0]) == 200


def finished(number: int, **changed: Any) -> Finished:
    task = make_task(
        State.DONE,
        spec=make_spec(issue=number, **changed),
        worker="01",
        ended_at=NOW + number * MINUTE,
        outcome=make_outcome(),
    )
    row = from_record(task)
    assert row is not None
    return row


def test_take_looks_no_further_than_it_must() -> None:
    def rows() -> Any:
        yield from (finished(one) for one in (3, 2, 1))
        raise AssertionError

    assert [one.issue for one in take(rows(), Wanted(), 2)] == [3, 2]
    assert [one.issue for one in take(rows(), Wanted(since=NOW + 2 * MINUTE), 9)] == [3, 2]


def test_wanted_compares_repositories_as_github_does() -> None:
    row = finished(1)

    assert Wanted(repo="Acme/App").fits(row)
    assert not Wanted(repo="acme/other").fits(row)
    assert not Wanted(outcome="failed").fits(row)
    assert not Wanted(worker="02").fits(row)


def test_task_with_archives_is_told_by_them_alone() -> None:
    known, other = finished(1), finished(2)
    runs = [known.model_copy(update={"ended_at": NOW}), known]

    assert merge([known, other], runs) == [*runs, other]


def test_end_of_the_last_run_is_told_once() -> None:
    task = make_task(
        State.DONE,
        attempt=1,
        started_at=NOW,
        ended_at=NOW + MINUTE,
        outcome=make_outcome(),
        reason="1 commit pushed",
    )

    steps = timeline(task, attempts(task, [], [], None), [])

    assert [one.what for one in steps][1:] == [
        "attempt 1 began",
        "attempt 1 ended: succeeded, 1 commit pushed",
    ]


def test_stop_of_a_task_that_never_ran_is_told_by_the_record() -> None:
    task = make_task(State.STOPPED, ended_at=NOW, reason="stopped by ann@box")

    assert timeline(task, [], [])[-1].what == "stopped: stopped by ann@box"
