"""Faults that chance does not reach: a broker that is away for longer than a lease, or emptied; a
machine that is gone; a GitHub that is told nothing while runs begin and end.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise

import psutil

from bench.chaos.agentlog import Seen, by
from bench.chaos.broker import until
from bench.chaos.counts.github import words_about
from bench.chaos.counts.pulls import OF_PULLS, wrong_for_good
from bench.chaos.fleet import LEASE_SECONDS, Fleet
from bench.chaos.kinds import PACE
from bench.chaos.load import APP, Load, Taken
from bench.chaos.people import People
from bench.chaos.pulls import Pulls
from bench.chaos.report import Found, found
from cw.budgets.scopes import fleet_place, month
from cw.states import State
from cw.store import keys

_PATIENCE = 300.0  # on a busy machine
_TOLD_SECONDS = LEASE_SECONDS + 30
_QUEUED = 4  # of each kind
_AGAIN = 6  # issues
_ALIVE_SECONDS = 5.0  # without a sign of life; on a busy machine a beat takes its time
# None of these ends by itself before the scene has them all under way, however busy the machine is.
_GOES_ON = PACE + "rehearse: until ~/tmp/never once\nrehearse: slow 1\nrehearse: no-change\n"


_TURNS_EACH = 6
_ENDLESS = "rehearse: pace 0.5\nrehearse: slow 40 once\nrehearse: no-change\n"


@dataclass(frozen=True, slots=True)
class Scene:
    """`counts`: what has to be zero; `told`: what people may want to know."""

    counts: dict[str, Found]
    told: list[str] = field(default_factory=list)


def broker_away(fleet: Fleet, load: Load, first: int) -> Scene:
    """For longer than a lease: no agent lives on after it, and all go on in their sessions."""
    runs = _under_way(load, _one_each(load, first, _GOES_ON, load.workers))
    frozen_at = time.time()
    fleet.broker.freeze(LEASE_SECONDS + 2)
    load.log.read()
    late = [one.last - frozen_at - LEASE_SECONDS for one in runs]
    seconds = sum(max(0.0, one) for one in late)
    return Scene({"seconds alive after lease": Found(seconds, len(runs))})


def machine_gone(fleet: Fleet, load: Load, first: int) -> Scene:
    """A host and all it runs at once, and nobody starts it: its tasks say so in time. Then it comes
    back.
    """
    host = fleet.hosts[0]
    tasks = _one_each(load, first, _GOES_ON, [home.id for home in host.homes])
    _under_way(load, tasks)
    began, host.frozen = time.monotonic(), True
    fleet.kill(host)
    for home in host.homes:
        shim = fleet.shim_of(home)
        if shim:
            with suppress(psutil.Error):
                shim.kill()
    _soon(lambda: not _running(load, tasks), _TOLD_SECONDS)
    untold, after = _running(load, tasks), time.monotonic() - began
    fleet.start(host)
    host.frozen = False
    told = [f"  machine gone: told after {after:.1f} s"]
    return Scene({"machine gone, nobody told": found(untold, len(tasks))}, told)


def github_away(fleet: Fleet, load: Load, first: int) -> Scene:
    """It takes no label and no comment while runs begin and end. Of each issue it is told in the
    end that it is done, and perhaps before that a worker has it; never the other way round.
    """
    deaf = [
        fleet.hub.fault(method=method, path_regex="labels|comments", status=503, times=None)
        for method in ("POST", "DELETE")
    ]
    numbers = [
        fleet.hub.add_issue(APP, f"Work {first}", "Do it.", author="bot") for _ in load.workers[:8]
    ]
    before = len(load.taken)
    for number in numbers:
        load.bring(replace(load.request(number, github=True), worker=None))
    tasks = [one.spec.id for one in load.taken[before:]]
    ended = _soon(lambda: all(_state(load, one) is State.DONE for one in tasks))
    for one in deaf:
        one.times = 0
    _soon(lambda: not any(load.store.outbox.length(host.name) for host in fleet.hosts))
    told = {number: words_about(load, number) for number in numbers}
    wrong = [f"#{number}: {words}" for number, words in told.items() if not _in_order(words)]
    if not ended:
        wrong.append("runs did not end while GitHub was away")
    return Scene({"told GitHub in another order": found(wrong, len(numbers))})


def broker_emptied(fleet: Fleet, load: Load, first: int) -> Scene:
    """With runs under way, and work that waits behind them."""
    go = f"go-{first}"
    waits = f"{PACE}rehearse: until ~/tmp/{go}\nrehearse: slow 1\nrehearse: no-change\n"
    tasks = _one_each(load, first, waits, load.workers)
    _under_way(load, tasks)
    plain: list[Taken] = []
    for number, worker in enumerate(load.workers[:_QUEUED]):
        request = load.request(first + 100 + number, github=False, prompt="rehearse: no-change")
        load.bring(replace(request, worker=worker), into=plain)
    labelled = [_labelled(fleet, load, one) for one in load.workers[-_QUEUED:]]
    fleet.broker.empty()
    for home in fleet.homes:
        (home.tmp / go).touch()
    if not _soon(lambda: all(any(run.completed for run in _runs(load, one)) for one in tasks)):
        load.unexpected.append("runs did not end after the broker was emptied")
    _soon(lambda: not _open(fleet, labelled))
    again = [one for one in tasks for _ in _runs(load, one)[1:]]
    # Of what waited without a label on GitHub nothing is promised.
    unlabelled = sum(bool(_runs(load, one.spec.id)) for one in plain)
    return Scene(
        {
            "begun again, broker emptied": found(again, len(tasks)),
            "labelled and missing, emptied": found(
                [f"#{one}" for one in _open(fleet, labelled)], len(labelled)
            ),
        },
        [f"  broker emptied: {unlabelled} came back of what waited without a label"],
    )


def done_before(fleet: Fleet, load: Load, first: int) -> Scene:  # noqa: ARG001
    """Issues whose work is done, given away again to agents that say so and do nothing: what an
    earlier task has pushed proves nothing for a later one.
    """
    done = [
        one for one in load.taken if one.commits and not one.spec.github and one.reason == "done"
    ]
    again = done[-_AGAIN:]
    for one in again:
        load.bring(replace(one.request, worker=None, prompt=f"{PACE}rehearse: lie\n"))
    return Scene({}, [f"  {len(again)} done issues were dispatched again"])


def shared_ceiling(fleet: Fleet, load: Load, first: int) -> Scene:
    """All at once below one ceiling, which they reach; a host is killed on the way. Each may have
    begun one turn too many. Then nothing limits them, and they go on.
    """
    now = datetime.now(UTC)
    allowed = _TURNS_EACH * len(load.workers)
    _as_on_a_new_day(load, now)
    fleet.start_again(CW_BUDGET_FLEET_DAY=f"{allowed}turns")
    tasks = _one_each(load, first, _ENDLESS, load.workers)
    _soon(lambda: len([run for one in tasks for run in _runs(load, one)]) >= len(tasks) // 2)
    fleet.kill(fleet.hosts[0])
    fleet.start(fleet.hosts[0])
    _soon(lambda: not _running(load, tasks))
    met = bool(load.store.budgets.read(now).met)
    took = sum(run.requests for one in tasks for run in _runs(load, one))
    fleet.start_again()
    return Scene(
        {
            "overspent": Found(max(0, took - allowed - len(tasks)), len(tasks)),
            "ceiling not met": found([] if met else ["runs went on, or none was"], 1),
        },
        [f"  shared ceiling: {took} turns of {allowed}"],
    )


def repairs(fleet: Fleet, load: Load, first: int) -> Scene:  # noqa: ARG001
    """Pull requests that beat has mended, while people review, merge, close, stop and push."""
    followed = Pulls(load)
    followed.bring()
    People(followed).play(lambda: wrong_for_good(followed))
    tasks = {run.task: run.mends for one in followed.all for run in followed.repairs(one)}
    causes = ", ".join(f"{often} of {what}" for what, often in Counter(tasks.values()).items())
    told = [f"  {len(followed.all)} pull requests, mended: {causes or 'nothing'}"]
    return Scene({name: count(followed) for name, count in OF_PULLS.items()}, told)


# In this order, but for the one that is played beside the load, and has its faults. The last one
# makes the broker forget what the records would be compared with.
BESIDE, LAST = "repairs", "broker emptied"
SCENES: dict[str, Callable[[Fleet, Load, int], Scene]] = {
    BESIDE: repairs,
    "done before": done_before,
    "broker away": broker_away,
    "machine gone": machine_gone,
    "github away": github_away,
    "shared ceiling": shared_ceiling,
    LAST: broker_emptied,
}


def _as_on_a_new_day(load: Load, now: datetime) -> None:
    load.store.connection.client.hdel(keys.spent(month(now)), f"{fleet_place(now)}:turns")


def _in_order(words: list[str]) -> bool:
    """Somebody else may take off what is off already; nobody puts on again what is on, or off."""
    if "off" not in words or set(words[words.index("off") :]) != {"off"}:
        return False
    return ("on", "on") not in pairwise(words)


def _state(load: Load, task: str) -> State | None:
    record = load.store.tasks.get(task)
    return record.state if record else None


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
        request = load.request(first + number, github=False, prompt=prompt)
        load.bring(replace(request, worker=worker))
    return [one.spec.id for one in load.taken[before:]]


def _under_way(load: Load, tasks: list[str]) -> list[Seen]:
    """The live run of each task."""

    def live() -> list[Seen]:
        fresh = time.time() - _ALIVE_SECONDS
        latest = [runs[-1] for task, runs in by(load.log.read(), "task").items() if task in tasks]
        return [one for one in latest if one.rc is None and one.last > fresh]

    until(lambda: len(live()) == len(tasks), _PATIENCE, "every worker's agent")
    return live()


def _running(load: Load, tasks: list[str]) -> list[str]:
    return [one for one in tasks if _state(load, one) is State.RUNNING]


def _runs(load: Load, task: str) -> list[Seen]:
    return [one for one in load.log.read() if one.task == task]


def _soon(condition: Callable[[], bool], seconds: float = _PATIENCE) -> bool:
    try:
        until(condition, seconds, "")
    except TimeoutError:
        return False
    return True
