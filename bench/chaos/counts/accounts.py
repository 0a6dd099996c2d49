"""Limits of accounts, from what agents wrote down of a refusal and from the archives of runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bench.chaos.faults import Faults
from bench.chaos.load import Load
from bench.chaos.report import Found, found
from cw.homes.files import read_json

# Of a refusal until its host has told the broker, and of a fault until its host is well again.
_TOLD_SECONDS = 2.0
_STRUCK_SECONDS = 8.0
_BROKER_WIDE = ("kill broker", "freeze broker")


@dataclass(frozen=True, slots=True)
class _Run:
    """As archived. `taken`: when its host had the lease, epoch seconds."""

    account: str
    host: str
    task: str
    fence: int
    taken: float


@dataclass(frozen=True, slots=True)
class _Refusal:
    run: _Run
    at: float
    until: float


def closed_window(load: Load, faults: Faults) -> Found:
    """Runs that were begun on an account between its refusal and the end of its limit."""
    runs, refusals = _runs(load), list(_refusals(load, faults))
    wrong = [
        f"{run.task} at {run.taken:.2f}, refused {one.at:.2f} until {one.until:.2f}"
        for one in refusals
        for run in runs
        if run.account == one.run.account
        and run.fence != one.run.fence
        and one.at + _TOLD_SECONDS < run.taken < one.until
    ]
    return found(wrong, len(refusals))


def tried_at_once(load: Load, faults: Faults) -> Found:
    """Runs that were begun on an account before the first one after its limit had an answer."""
    runs, agents = _runs(load), {run.fence: run for run in load.log.read()}
    wrong, tried = [], 0
    for one in _refusals(load, faults):
        after = [run for run in runs if run.account == one.run.account and run.taken >= one.until]
        first = min(after, key=lambda run: run.taken, default=None)
        agent = agents.get(first.fence) if first else None
        if first is None or agent is None or _struck(faults, first.host, first.taken, agent.start):
            continue
        tried += 1
        wrong += [
            f"{run.task} at {run.taken:.2f}, {first.task} from {first.taken:.2f}"
            for run in after
            if first.taken < run.taken < agent.start
        ]
    return found(wrong, tried)


def _refusals(load: Load, faults: Faults) -> Iterator[_Refusal]:
    """Those whose host, and the broker, were well when they came."""
    runs = {run.fence: run for run in _runs(load)}
    for agent in load.log.read():
        run = runs.get(agent.fence)
        if agent.refused and run and not _struck(faults, run.host, agent.refused_at):
            yield _Refusal(run, agent.refused_at, agent.refused)


def _struck(faults: Faults, host: str, since: float, until: float | None = None) -> bool:
    return any(
        since - _STRUCK_SECONDS < at < (until or since) + _TOLD_SECONDS
        for name, at, what in faults.at
        if name in _BROKER_WIDE or what == host
    )


def _runs(load: Load) -> list[_Run]:
    return [
        run
        for home in load.fleet.homes
        for path in home.completed.glob("*.json")
        if (run := _archived(read_json(path) or {}))
    ]


def _archived(book: dict[str, object]) -> _Run | None:
    run, task = book.get("run"), book.get("task")
    if not isinstance(run, dict) or not isinstance(task, dict) or not run.get("account"):
        return None
    taken = datetime.fromisoformat(str(run["started_at"])).timestamp()
    return _Run(run["account"], run["host"], task["id"], int(run["fence"]), taken)
