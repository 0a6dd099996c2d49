"""Faults that chance does not reach: a broker that is away for longer than a lease, or emptied; a
machine that is gone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import psutil

from bench.chaos.agentlog import Seen
from bench.chaos.broker import until
from bench.chaos.fleet import BEAT_SECONDS, LEASE_SECONDS, Fleet
from bench.chaos.load import APP, Load, Taken
from cw.states import State

_PATIENCE = 120.0
_TOLD_SECONDS = LEASE_SECONDS + 30
_QUEUED = 4  # of each kind
_LONG = "rehearse: pace 0.01\nrehearse: slow 30 once\nrehearse: slow 1\n"
_SHORT = "rehearse: pace 0.01\nrehearse: slow 3\n"


@dataclass(frozen=True, slots=True)
class Emptied:
    """What became of everything when the broker had forgotten it. `unlabelled`: came back, of those
    that waited and had no label on GitHub; none of them is promised.
    """

    again: int
    running: int
    missing: int
    labelled: int
    unlabelled: int


def broker_away(fleet: Fleet, load: Load, first: int) -> tuple[float, int]:
    """Seconds in which agents lived on after the end of their lease, and how many agents there
    were. Afterwards all of them go on in their sessions.
    """
    runs = _under_way(load, _one_each(load, first, _LONG, load.workers))
    frozen_at = time.time()
    fleet.broker.freeze(LEASE_SECONDS + 2)
    load.log.read()
    late = [one.last - frozen_at - LEASE_SECONDS for one in runs]
    return sum(max(0.0, one) for one in late), len(runs)


def machine_gone(fleet: Fleet, load: Load, first: int) -> tuple[int, int, float]:
    """A host and all it runs at once, and nobody starts it. How many of its tasks did not say so in
    time, of how many, and after how many seconds the last one did. Then it comes back.
    """
    host = fleet.hosts[0]
    tasks = _one_each(load, first, _LONG, [home.id for home in host.homes])
    _under_way(load, tasks)
    began, host.frozen = time.monotonic(), True
    fleet.kill(host)
    for home in host.homes:
        shim = fleet.shim_of(home)
        if shim:
            with suppress(psutil.Error):
                shim.kill()
    _soon(lambda: not _running(load, tasks), _TOLD_SECONDS)
    untold, after = len(_running(load, tasks)), time.monotonic() - began
    fleet.start(host)
    host.frozen = False
    return untold, len(tasks), after


def broker_emptied(fleet: Fleet, load: Load, first: int) -> Emptied:
    """With runs under way, and work that waits behind them."""
    tasks = _one_each(load, first, _SHORT, load.workers)
    _under_way(load, tasks)
    plain: list[Taken] = []
    for number, worker in enumerate(load.workers[:_QUEUED]):
        request = load.request(first + 100 + number, github=False, prompt="rehearse: no-change")
        load.bring(replace(request, worker=worker), into=plain)
    labelled = [_labelled(fleet, load, one) for one in load.workers[-_QUEUED:]]
    fleet.broker.empty()
    if not _soon(lambda: all(any(run.completed for run in _runs(load, one)) for one in tasks)):
        load.unexpected.append("runs did not end after the broker was emptied")
    _soon(lambda: not _open(fleet, labelled))
    return Emptied(
        again=sum(len(_runs(load, one)) - 1 for one in tasks),
        running=len(tasks),
        missing=len(_open(fleet, labelled)),
        labelled=len(labelled),
        unlabelled=sum(bool(_runs(load, one.spec.id)) for one in plain),
    )


def _labelled(fleet: Fleet, load: Load, worker: str) -> int:
    """An issue that waits for a worker and carries its label. Returns its number."""
    number = fleet.hub.add_issue(APP, "Work that waits", "Do it.", author="bot")
    load.bring(replace(load.request(number, github=True), worker=worker), into=[])
    return number


def _open(fleet: Fleet, numbers: list[int]) -> list[int]:
    """Those that have a worker's label, or no pull request."""
    heads = {one.head for one in fleet.hub.pulls(APP)}
    return [
        one
        for one in numbers
        if f"issue-{one}" not in heads
        or any(name.startswith("worker:") for name in fleet.hub.issue(APP, one).labels)
    ]


def _one_each(load: Load, first: int, prompt: str, workers: list[str]) -> list[str]:
    """A task for each of these workers. Returns their ids."""
    before = len(load.taken)
    for number, worker in enumerate(workers):
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


def _running(load: Load, tasks: list[str]) -> list[str]:
    found = [load.store.tasks.get(one) for one in tasks]
    return [one.spec.id for one in found if one and one.state is State.RUNNING]


def _runs(load: Load, task: str) -> list[Seen]:
    return [one for one in load.log.read() if one.task == task]


def _soon(condition: Callable[[], bool], seconds: float = _PATIENCE) -> bool:
    try:
        until(condition, seconds, "")
    except TimeoutError:
        return False
    return True
