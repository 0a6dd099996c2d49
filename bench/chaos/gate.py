"""One whole run: work and faults at random, then the scenes that chance does not reach."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread

from bench.chaos import counts, pulls, scenes
from bench.chaos.broker import until
from bench.chaos.counts.github import wrong_labels
from bench.chaos.counts.runs import finished, missing
from bench.chaos.faults import Faults
from bench.chaos.fleet import FILES, TOKEN, Fleet, fleet, make_repo
from bench.chaos.load import APP, Load
from bench.chaos.mutants import mutate
from bench.chaos.network import trouble_github
from bench.chaos.recovery import next_runs
from bench.chaos.report import Found, Report, found, percentiles
from tests.standins.github import GitHubStandIn

_BACKLOG = 3  # open tasks a worker
_SCENE_ISSUES = 1_000_000  # no other task has these numbers
_SCENE_SECONDS = 180.0  # for what it began to come to its end, on a busy machine
_AHEAD = 0.15  # of all work, before the faults that belong to it
_FAULT_SECONDS = 5.0  # with all hosts well and nothing moving, the next fault comes all the same
_PATIENCE_SECONDS = 30.0  # and with hosts that do not get well


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    seed: int
    tasks: int
    github: int  # of them
    hints: int
    doubles: int
    faults: dict[str, int]
    hosts: int
    workers: int  # a host
    working: float  # seconds after which no more work and no more faults come; 0: all of them
    seconds: float  # in which all of it must be done
    scenes: tuple[str, ...]  # by name
    mutant: str = ""

    @property
    def strikes(self) -> int:
        return sum(self.faults.values())


def run(plan: Plan) -> Report:
    mutate(plan.mutant)  # claims and late words are the driver's own calls
    report = Report()
    with fleet(
        lambda hub: _issues(hub, plan.github), plan.hosts, plan.workers, plan.mutant
    ) as made:
        repos = [make_repo(made.folder / f"repo{one}") for one in range(2)]
        load = Load(made, plan.seed, repos)
        faults = Faults(made, load, random.Random(plan.seed + 1))  # noqa: S311
        until(lambda: len(load.store.fleet.workers()) == len(load.workers), 180, "the hosts")
        began = time.monotonic()
        whole = _in_time(report, lambda: _run(plan, report, load, faults, began))
        for name, count in counts.WHILE_KNOWN.items():
            report.add(name, count(load, faults))
        if whole and scenes.LAST in plan.scenes:
            _in_time(report, lambda: _play(scenes.LAST, report, load))
        report.told.append(f"  with scenes: {time.monotonic() - began:.0f} s")
        load.over.set()
        faults.finish()
        for name, count in counts.AT_THE_END.items():
            report.add(name, count(load, faults))
        report.add("orphan processes", _processes(made))
        report.details += [f"unexpected: {one}" for one in load.unexpected]
        _tell(plan, report, load, faults)
    return report


def _issues(hub: GitHubStandIn, number: int) -> None:
    hub.add_repo(APP, files=FILES)
    hub.add_repo(pulls.REPO, files=FILES)
    hub.add_user("bot", TOKEN, {APP: "write", pulls.REPO: "write"})
    for one in range(number):
        hub.add_issue(APP, f"Work {one}", "Do it.")
    trouble_github(hub)


def _in_time(report: Report, part: Callable[[], None]) -> bool:
    """What was not done is not green."""
    try:
        part()
    except TimeoutError as error:
        report.add("parts not done in time", found([str(error)], 1))
        return False
    return True


def _run(plan: Plan, report: Report, load: Load, faults: Faults, began: float) -> None:
    """Raises TimeoutError when it takes too long; what was not done then counts as lost."""
    deadline = began + plan.seconds
    for target in (
        load.beat,
        lambda: _bring(plan, load, faults),
        lambda: _hint(plan, load),
        lambda: _ask_again(plan, load),
    ):
        Thread(target=target, daemon=True).start()
    beside = _beside(load) if scenes.BESIDE in plan.scenes else None
    _fault_loop(plan, load, faults, began)
    faults.finish()
    _wait(load.all_brought.is_set, load, deadline)
    _wait(lambda: not missing(load, faults), load, deadline)
    report.told.append(f"  random faults: {time.monotonic() - began:.0f} s")
    if beside:
        _wait(beside.done, load, deadline)
        _tell_scene(beside.result(), report)
        report.told.append(f"  with repairs: {time.monotonic() - began:.0f} s")
    for name in plan.scenes:
        if name not in {scenes.BESIDE, scenes.LAST}:
            _play(name, report, load)
            _wait(lambda: not _speak(faults, load), load, time.monotonic() + _SCENE_SECONDS)
    _settle_down(load, faults)


def _settle_down(load: Load, faults: Faults) -> None:
    """What is not as it should be after this time is counted."""
    with suppress(TimeoutError):
        _wait(lambda: not wrong_labels(load, faults).wrong, load, time.monotonic() + 60)
    with suppress(TimeoutError):
        idle = [home.journal for home in load.fleet.homes]
        _wait(lambda: not any(one.exists() for one in idle), load, time.monotonic() + 30)


def _beside(load: Load) -> Future[scenes.Scene]:
    pool = ThreadPoolExecutor(1)
    playing = pool.submit(_scene, scenes.BESIDE, load)
    pool.shutdown(wait=False)
    return playing


def _play(name: str, report: Report, load: Load) -> None:
    _tell_scene(_scene(name, load), report)


def _scene(name: str, load: Load) -> scenes.Scene:
    first = (1 + list(scenes.SCENES).index(name)) * _SCENE_ISSUES
    return scenes.SCENES[name](load.fleet, load, first)


def _tell_scene(scene: scenes.Scene, report: Report) -> None:
    for count, one in scene.counts.items():
        report.add(count, one)
    report.told += scene.told


def _bring(plan: Plan, load: Load, faults: Faults) -> None:
    doubles = set(load.dice.sample(range(plan.tasks), plan.doubles))
    github = set(load.dice.sample(range(plan.tasks), plan.github))
    issue, until_at = 0, time.monotonic() + plan.working
    for number in range(plan.tasks):
        while _enough(plan, load, faults):
            if load.over.wait(0.2):
                return
        if plan.working and time.monotonic() > until_at:
            break
        issue += number in github
        on_github = number in github
        load.bring(
            load.request(
                issue if on_github else number + 1, github=on_github, issue=number in doubles
            ),
            double=number in doubles,
        )
    load.all_brought.set()


def _enough(plan: Plan, load: Load, faults: Faults) -> bool:
    """Work waits already; or it is ahead of the faults, which need something to strike."""
    waiting = len(load.taken) - len(finished(load, faults))
    done = (faults.struck + _AHEAD * plan.strikes) / plan.strikes if plan.strikes else 1.0
    return waiting >= _BACKLOG * len(load.workers) or load.brought > plan.tasks * done


def _speak(faults: Faults, load: Load) -> list[str]:
    """Let earlier holders speak up until the work is done. Returns what is not."""
    faults.inject("late word")
    return missing(load, faults)


def _hint(plan: Plan, load: Load) -> None:
    """As many duplicated messages as there were dispatches, spread over them."""
    while load.hints < plan.hints and not load.over.wait(0.05):
        if load.hints * plan.tasks < plan.hints * len(load.taken):
            load.stray_hint()


def _ask_again(plan: Plan, load: Load) -> None:
    """As many late dispatches of what is at work as there are double ones, spread over the work."""
    while load.late_doubles < plan.doubles and not load.over.wait(0.1):
        if load.late_doubles * plan.tasks < plan.doubles * len(load.taken):
            load.late_double()


def _fault_loop(plan: Plan, load: Load, faults: Faults, began: float) -> None:
    """Spread over the work, whatever its pace; one that found nothing to hit is tried again."""
    todo = [name for name, often in plan.faults.items() for _ in range(often)]
    faults.dice.shuffle(todo)
    whole, last = len(todo), time.monotonic()
    deadline = began + (plan.working or plan.seconds)
    while todo and time.monotonic() < deadline:
        load.fleet.revive()
        share = len(finished(load, faults)) / plan.tasks
        idle = _PATIENCE_SECONDS if faults.recovery.unwell else _FAULT_SECONDS
        due = 1 - len(todo) / whole <= share or time.monotonic() - last > idle
        if not due:
            time.sleep(0.1)
            continue
        name, before = todo.pop(), faults.struck
        faults.inject(name)
        last = time.monotonic()
        if faults.struck == before:
            todo.insert(0, name)
            time.sleep(0.1)
        if load.all_brought.is_set() and not missing(load, faults):
            return  # nothing is left to strike


def _wait(condition: object, load: Load, deadline: float) -> None:
    def met() -> bool:
        load.fleet.revive()
        return bool(condition())  # type: ignore[operator]

    until(met, max(0.0, deadline - time.monotonic()), "the end of the work")


def _processes(made: Fleet) -> Found:
    for host in made.hosts:
        if host.process:
            host.process.terminate()
    for host in made.hosts:
        if host.process:
            host.process.wait(30)
    return found(made.left_over(), len(made.homes))


def _tell(plan: Plan, report: Report, load: Load, faults: Faults) -> None:
    runs = load.log.read()
    restarts = ", ".join(f"{often} x {name}" for name, often in sorted(faults.done.items()))
    report.told = [
        f"seed {plan.seed}{', mutant ' + plan.mutant if plan.mutant else ''}",
        f"  {len(load.taken)} tasks of {plan.tasks}, {len(runs)} runs",
        f"  {len(faults.agents_killed)} tasks had their agent killed",
        f"  {len(faults.breaking.unused())} of the broken clones were not used again",
        f"  {faults.breaking.set_aside()} clones were set aside",
        f"  {restarts}",
        f"  {load.hints} duplicated hints",
        f"  {load.doubles} dispatches at the same moment as another, {load.late_doubles} later",
        f"  {load.mended} times an account's key was refused, and mended",
        f"  {faults.late_words} late words, {load.refused} dispatches refused for a fault",
        *(
            f"  {name}: well again after {percentiles(values)}"
            for name, values in sorted(faults.recovery.seconds.items())
        ),
        *(
            f"  {name}: next agent after {percentiles(values)}"
            for name in ("kill broker", "kill shim")
            if (values := next_runs(faults.at, runs, name))
        ),
        *report.told,
    ]
