"""Faults that chance does not reach: a broker that is away for longer than a lease, or emptied."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from bench.chaos.agentlog import Seen
from bench.chaos.broker import until
from bench.chaos.fleet import BEAT_SECONDS, LEASE_SECONDS, Fleet
from bench.chaos.load import Load

_PATIENCE = 60.0


def broker_away(fleet: Fleet, load: Load, first: int) -> tuple[float, int]:
    """Seconds in which agents lived on after the end of their lease, and how many agents there
    were. Afterwards all of them go on in their sessions.
    """
    tasks = _one_each(
        load, first, "rehearse: pace 0.01\nrehearse: slow 30 once\nrehearse: slow 2\n"
    )
    runs = _under_way(load, tasks)
    frozen_at = time.time()
    fleet.broker.freeze(LEASE_SECONDS + 2)
    load.log.read()
    late = [one.last - frozen_at - LEASE_SECONDS for one in runs]
    return sum(max(0.0, one) for one in late), len(runs)


def broker_emptied(fleet: Fleet, load: Load, first: int) -> tuple[int, int]:
    """How many runs were begun again because the broker had forgotten them, and of how many."""
    tasks = _one_each(load, first, "rehearse: pace 0.01\nrehearse: slow 3\n")
    _under_way(load, tasks)
    fleet.broker.empty()
    done = _soon(lambda: all(any(run.completed for run in _runs(load, one)) for one in tasks))
    if not done:
        load.unexpected.append("runs did not end after the broker was emptied")
    again = sum(len(_runs(load, one)) - 1 for one in tasks)
    return again, len(tasks)


def _one_each(load: Load, first: int, prompt: str) -> list[str]:
    """A task for every worker. Returns their ids."""
    before = len(load.taken)
    for number, worker in enumerate(load.workers):
        request = load.request(first + number, github=False, prompt=f"{prompt}rehearse: no-change")
        load.bring(replace(request, worker=worker))
    return [one.spec.id for one in load.taken[before:]]


def _under_way(load: Load, tasks: list[str]) -> list[Seen]:
    """The live run of each task."""

    def live() -> list[Seen]:
        fresh = time.time() - 5 * BEAT_SECONDS
        return [
            one
            for one in load.log.read()
            if one.task in tasks and one.rc is None and one.last > fresh
        ]

    until(lambda: len(live()) == len(tasks), _PATIENCE, "every worker's agent")
    return live()


def _runs(load: Load, task: str) -> list[Seen]:
    return [one for one in load.log.read() if one.task == task]


def _soon(condition: Callable[[], bool]) -> bool:
    try:
        until(condition, _PATIENCE, "")
    except TimeoutError:
        return False
    return True
