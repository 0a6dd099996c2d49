"""The fleet on one screen: a line a worker, nothing wider than the terminal, no reason cut off."""

from __future__ import annotations

from datetime import timedelta

import click
import pytest

from cw.cli.views.fleet import status_lines
from cw.cli.views.short_names import short_label
from cw.fleet_models import Host, Worker
from cw.models import Event, Task
from cw.operations.views.overview import Fleet, overview
from cw.operations.views.queue import queue
from cw.operations.views.rows import Overview
from cw.states import State
from tests.making import NOW, make_spec, make_task

UP = Host(name="h", workers=50, seen_at=NOW)
LONG = "A very long title that says more than anybody wants to read on a small screen " * 3


def busy(number: int) -> tuple[Worker, Task, Event]:
    spec = make_spec(
        repo="some-owner/some-repository", issue=1000 + number, title=LONG, wanted_worker=None
    )
    task = make_task(
        State.RUNNING,
        spec=spec,
        worker=f"{number:02}",
        attempt=1,
        started_at=NOW - timedelta(hours=3, minutes=number),
    )
    said = Event(
        at=NOW - timedelta(minutes=5),
        kind="tool",
        text="Bash: make " + "test " * 50,
        data={"turns": 123, "cost_usd": 12.5},
    )
    return Worker(id=f"{number:02}", host="h", task=spec.id), task, said


def full(*more: Task, workers: int = 50) -> Overview:
    rows = [busy(number) for number in range(workers)]
    tasks = [*(task for _, task, _ in rows), *more]
    last = {task.spec.id: said for _, task, said in rows}
    waiting = [one.spec.id for one in more if one.state is State.QUEUED]
    fleet = Fleet(
        workers=[worker for worker, _, _ in rows],
        hosts=[UP],
        tasks=tasks,
        lines={None: waiting},
        last=last,
    )
    return overview(fleet, NOW)


def shown(seen: Overview, width: int | None) -> list[str]:
    return [click.unstyle(one) for one in status_lines(seen, width)]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_fifty_busy_workers_take_a_line_each_and_none_is_wider(width: int) -> None:
    lines = shown(full(), width)

    assert len(lines) == 51
    assert max(len(one.rstrip()) for one in lines) <= width
    assert [one.split()[0] for one in lines[1:]] == [f"{number:02}" for number in range(50)]


def test_narrow_screen_still_has_state_time_turns_cost_age_and_a_piece_of_the_rest() -> None:
    head, first, *_ = shown(full(), 80)

    assert head.split() == [
        *("worker", "state", "task", "title", "time", "turns", "cost", "seen", "now")
    ]
    assert "busy" in first
    assert "3h 00m" in first
    assert "123  $12.50    5m  Bash" in first
    assert "some-rep…#1000" in first
    assert "A ver" in first


def test_pipe_gets_everything() -> None:
    line = shown(full(workers=1), None)[1]

    assert LONG.strip() in line
    assert "some-owner/some-repository#1000" in line


def test_reason_is_folded_not_cut() -> None:
    waits = make_task(State.QUEUED, spec=make_spec(wanted_worker=None), reason="because " * 20)

    text = " ".join(shown(full(waits), 80))

    assert text.count("because") == 20


def test_what_waits_is_counted_and_its_head_shown() -> None:
    many = [make_task(State.QUEUED, spec=make_spec(wanted_worker=None)) for _ in range(30)]

    lines = shown(full(*many), 80)

    assert "Waiting (30)" in lines
    assert "and 20 more: cw queue" in lines
    assert max(len(one.rstrip()) for one in lines) <= 80


def test_everything_that_does_not_move_says_why_and_what_to_type() -> None:
    held = make_task(
        State.HELD,
        worker="01",
        reason="usage limit until 18:00",
        not_before=NOW + timedelta(hours=1),
        ended_at=NOW,
    )
    crashed = make_task(State.CRASHED, worker="02", reason="its host fell silent 2 times")

    seen = full(held, crashed, workers=0)
    text = "\n".join(shown(seen, 80))

    assert "Not moving" in text
    for row in queue(seen):
        assert row.reason in text
        assert all(one in text for one in row.next.split("; "))


@pytest.mark.parametrize(
    ("label", "short"),
    [
        ("a/b#1", "a/b#1"),
        ("acme/longer-app#22", "longer-app#22"),
        ("acme/longer-application#22", "longer-app…#22"),
        ("a-folder-without-number", "a-folder-with…"),
    ],
)
def test_label_gets_shorter_but_keeps_its_number(label: str, short: str) -> None:
    assert short_label(label, 80, 14) == short
    assert short_label(label, None, 14) == label
