"""`cw status` is decided from data and a clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cw.fleet_models import Host, Worker
from cw.models import Event, Outcome, Task, TaskSpec
from cw.operations.views.history import from_archive, from_record, newest
from cw.operations.views.overview import Fleet, overview
from cw.states import OutcomeKind, State

NOW = datetime(2026, 5, 8, 12, tzinfo=UTC)
UP = Host(name="h", workers=2, seen_at=NOW - timedelta(seconds=5))


def task(number: int, state: State, worker: str | None = None, **more: Any) -> Task:
    spec = TaskSpec(
        id=f"T{number}",
        repo="owner/app",
        repo_url="https://github.com/owner/app.git",
        repo_folder="owner/app",
        github=True,
        issue=number,
        title=f"Issue {number}",
        model="sonnet",
        created_at=NOW - timedelta(hours=1),
    )
    return Task(spec=spec, state=state, worker=worker, **more)


def worker(name: str, task_id: str | None = None, host: str = "h") -> Worker:
    return Worker(id=name, host=host, task=task_id)


def reasons(**parts: Any) -> list[str]:
    parts.setdefault("hosts", [UP])
    return [one.reason for one in overview(Fleet(**parts), NOW).waiting]


def test_busy_worker_shows_its_task_and_how_far_it_is() -> None:
    last = Event(at=NOW, kind="tool", text="Bash: ls", data={"turns": 7, "cost_usd": 0.5})
    running = task(1, State.RUNNING, "01", started_at=NOW - timedelta(minutes=3))

    seen = overview(
        Fleet(
            workers=[worker("01", "T1"), worker("02")],
            hosts=[UP],
            tasks=[running],
            last={"T1": last},
        ),
        NOW,
    )

    busy, idle = seen.workers
    assert (busy.state, busy.elapsed_s, busy.turns, busy.cost_usd) == ("busy", 180.0, 7, 0.5)
    assert busy.about is not None
    assert (busy.about.label, busy.about.title) == ("owner/app#1", "Issue 1")
    assert busy.last == "Bash: ls"
    assert (idle.state, idle.about, idle.last) == ("idle", None, "")
    assert seen.warnings == []


def test_silent_host_makes_its_workers_offline() -> None:
    silent = Host(name="s", seen_at=NOW - timedelta(seconds=61))

    seen = overview(Fleet(workers=[worker("01", host="s"), worker("02")], hosts=[silent, UP]), NOW)

    assert [one.state for one in seen.workers] == ["offline", "idle"]
    assert [one.state for one in seen.hosts] == ["silent", "up"]
    assert seen.warnings == ["host s has been silent for more than 45 s"]


def test_host_that_left_is_gone_and_no_alarm() -> None:
    seen = overview(Fleet(workers=[worker("01")], hosts=[Host(name="h")]), NOW)

    assert [one.state for one in seen.hosts] == ["gone"]
    assert [one.state for one in seen.workers] == ["offline"]
    assert seen.warnings == ["no host is running, so nothing starts; start one with: cw up"]


def test_waiting_tasks_have_their_place_in_their_own_line() -> None:
    tasks = [task(1, State.QUEUED, "01"), task(2, State.QUEUED), task(3, State.QUEUED, "01")]
    lines = {"01": ["T1", "T3"], None: ["T2"]}

    seen = overview(Fleet(workers=[worker("01")], hosts=[UP], tasks=tasks, lines=lines), NOW)

    assert [(one.about.task, one.place) for one in seen.waiting] == [
        ("T1", 1),
        ("T2", 1),
        ("T3", 2),
    ]


def test_every_waiting_task_says_why() -> None:
    mine, pool = task(2, State.QUEUED, "01"), task(2, State.QUEUED)
    running = task(1, State.RUNNING, "01", started_at=NOW)
    busy = worker("01", "T1")

    assert reasons(hosts=[], tasks=[mine], workers=[worker("01")]) == [
        "no host is running; start one with: cw up"
    ]
    assert reasons(tasks=[mine]) == ["worker 01 is gone; make it with: cw init 01"]
    assert reasons(tasks=[mine], workers=[worker("01", host="x")]) == ["host x is offline"]
    assert reasons(tasks=[pool], workers=[worker("01", host="x")]) == ["every worker is offline"]
    assert reasons(tasks=[running, mine], workers=[busy]) == ["worker 01 is busy with owner/app#1"]
    assert reasons(tasks=[running, pool], workers=[busy]) == ["every worker is busy"]
    assert reasons(tasks=[pool], workers=[worker("01")]) == ["starts at any moment"]
    unfit = UP.model_copy(update={"unfit": "no bubblewrap"})
    for one in (mine, pool):
        assert reasons(hosts=[unfit], tasks=[one], workers=[worker("01")]) == [
            "host h takes nothing: no bubblewrap"
        ]
    other = UP.model_copy(update={"name": "x"})
    both = [worker("01"), worker("02", host="x")]
    assert reasons(hosts=[unfit, other], tasks=[pool], workers=both) == ["starts at any moment"]
    assert reasons(tasks=[task(3, State.QUEUED, "01", reason="its host went away")]) == [
        "its host went away"
    ]


def test_pool_without_any_worker_says_how_to_make_one() -> None:
    assert reasons(tasks=[task(2, State.QUEUED)]) == ["there is no worker; make one: cw init 01"]


def test_held_and_stuck_tasks_say_what_to_type() -> None:
    until = NOW + timedelta(hours=1)
    held = task(1, State.HELD, "01", not_before=until, reason="usage limit")
    crashed, stopped = task(2, State.CRASHED, "02"), task(3, State.STOPPED)

    seen = overview(
        Fleet(workers=[worker("01"), worker("02")], hosts=[UP], tasks=[stopped, held, crashed]),
        NOW,
    )

    assert [one.state for one in seen.workers] == ["held", "idle"]
    assert [(one.until, one.reason) for one in seen.held] == [(until, "usage limit")]
    assert "cw restart T1" in seen.held[0].next
    assert [(one.state, one.next) for one in seen.stuck] == [
        ("crashed", "cw restart T2"),
        ("stopped", "cw restart T3"),
    ]


def test_warnings_of_broker_and_hosts_are_collected() -> None:
    weak = UP.model_copy(update={"warning": "no bubblewrap"})

    seen = overview(Fleet(hosts=[weak], warnings=["no append-only file"]), NOW)

    assert seen.warnings == ["no append-only file", "host h: no bubblewrap"]


def test_progress_that_is_no_number_is_left_out() -> None:
    odd = Event(at=NOW, kind="end", text="x", data={"turns": None, "cost_usd": "?"})
    running = task(1, State.RUNNING, "01")

    row = overview(
        Fleet(workers=[worker("01", "T1")], hosts=[UP], tasks=[running], last={"T1": odd}), NOW
    ).workers[0]

    assert (row.turns, row.cost_usd, row.elapsed_s) == (None, None, None)


FAILED = Outcome(kind=OutcomeKind.FAILED, reason="api", message="The API said 500")


def test_archive_and_record_give_the_same_row() -> None:
    record = task(1, State.DONE, "01", ended_at=NOW, outcome=FAILED, attempt=1)
    ran = {"worker": "01", "attempt": 1, "started_at": "2026-05-08T11:00:00Z"}
    archive = {
        "version": 1,
        "phase": "settled",
        "task": record.spec.model_dump(mode="json") | {"from_the_future": 1},
        "run": ran | {"ended_at": NOW.isoformat()},
        "outcome": FAILED.model_dump(mode="json"),
    }

    assert from_archive(archive) == from_record(record)


def test_archive_that_is_none_is_no_row() -> None:
    assert from_archive({}) is None
    assert from_archive({"task": [], "run": 3, "outcome": None}) is None
    assert from_record(task(1, State.RUNNING)) is None


def test_history_is_newest_first() -> None:
    rows = [
        row
        for number in (1, 3, 2)
        if (
            row := from_record(
                task(number, State.DONE, ended_at=NOW + timedelta(hours=number), outcome=FAILED)
            )
        )
    ]

    assert [one.task for one in newest(rows, 2)] == ["T3", "T2"]


def test_worker_shows_what_a_person_has_to_act_on() -> None:
    stopped, crashed = task(1, State.STOPPED, "01"), task(2, State.CRASHED, "02")
    running = task(3, State.RUNNING, "03", started_at=NOW)
    note = {"paused": "new disk"}
    workers = [
        worker("01", "T1").model_copy(update=note),
        worker("02", "T2"),
        worker("03", "T3").model_copy(update=note),
        worker("04").model_copy(update=note),
        worker("05", host="x").model_copy(update=note),
    ]

    seen = overview(Fleet(workers=workers, hosts=[UP], tasks=[stopped, crashed, running]), NOW)

    states = [one.state for one in seen.workers]
    assert states == ["stopped", "crashed", "busy", "paused", "offline"]
    assert [one.paused for one in seen.workers] == ["new disk", "", *["new disk"] * 3]


def test_task_behind_a_pause_or_a_stopped_one_says_what_to_type() -> None:
    mine, pool = task(2, State.QUEUED, "01"), task(2, State.QUEUED)
    paused = worker("01").model_copy(update={"paused": "new disk"})
    stopped = task(1, State.STOPPED, "01")

    assert reasons(tasks=[mine], workers=[paused]) == [
        "worker 01 is paused: new disk; cw resume 01"
    ]
    assert reasons(tasks=[pool], workers=[paused]) == [
        "every worker is paused; let them go on with: cw resume --all"
    ]
    assert reasons(tasks=[stopped, mine], workers=[worker("01", "T1")]) == [
        "worker 01 is kept for owner/app#1, which is stopped; cw restart 01 or cw reset 01"
    ]
    assert reasons(tasks=[stopped, pool], workers=[worker("01", "T1")]) == [
        (
            "no worker is free: worker 01 is kept for owner/app#1, which is stopped;"
            " cw restart 01 or cw reset 01"
        )
    ]
    assert reasons(tasks=[mine], workers=[worker("01", "T2")]) == ["starts at any moment"]


def test_hosts_count_what_runs_on_them() -> None:
    running = [task(number, State.RUNNING, "01", host="h") for number in (1, 2)]

    (row,) = overview(Fleet(hosts=[UP], tasks=[*running, task(3, State.HELD)]), NOW).hosts

    assert (row.workers, row.busy) == (2, 2)
