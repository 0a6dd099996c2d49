"""One whole run: work and faults at random, then the scenes that chance does not reach."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread

from bench.chaos import counting, scenes
from bench.chaos.broker import until
from bench.chaos.faults import Faults
from bench.chaos.fleet import TOKEN, Fleet, fleet, make_repo
from bench.chaos.load import APP, Load
from bench.chaos.mutant_host import mutate
from bench.chaos.recovery import next_runs
from bench.chaos.report import Report, percentiles
from tests.standins.github import GitHubStandIn

_BACKLOG = 3  # open tasks a worker
_SCENE_ISSUES = 1_000_000  # no other task has these numbers
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
    scenes: bool
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
        until(lambda: len(load.store.fleet.workers()) == len(load.workers), 60, "the hosts")
        try:
            _run(plan, report, load, faults)
        except TimeoutError as error:  # what could not be counted is not green
            report.count("parts not done in time", 1, 1)
            report.details.append(str(error))
        load.over.set()
        faults.finish()
        counting.count_runs(report, load, faults)
        counting.count_files(report, load)
        _count_processes(report, made)
        _tell(plan, report, load, faults)
    return report


def _issues(hub: GitHubStandIn, number: int) -> None:
    hub.add_repo(APP, files={"README.md": "# App\n"})
    hub.add_user("bot", TOKEN, {APP: "write"})
    for one in range(number):
        hub.add_issue(APP, f"Work {one}", "Do it.")
    # Now and then GitHub fails before or after it did what was asked, or asks for patience.
    hub.fault(method="POST", path_regex="labels|comments|pulls", status=502, times=None, every=7)
    hub.fault(method="DELETE", status=502, times=None, every=5, after_effect=True)
    hub.fault(method="GET", path_regex="issues", status=503, times=None, every=11)
    hub.secondary_limit(retry_after=1, times=2, method="POST")


def _run(plan: Plan, report: Report, load: Load, faults: Faults) -> None:
    """Raises TimeoutError when it takes too long; what was not done then counts as lost."""
    began = time.monotonic()
    deadline = began + plan.seconds
    for target in (
        load.beat,
        lambda: _bring(plan, load, faults),
        lambda: _hint(plan, load),
    ):
        Thread(target=target, daemon=True).start()
    _fault_loop(plan, load, faults, began)
    faults.finish()
    _wait(load.all_brought.is_set, load, deadline)
    _wait(lambda: not counting.missing(load, faults), load, deadline)
    report.told.append(f"  random faults: {time.monotonic() - began:.0f} s")
    with suppress(TimeoutError):
        _wait(lambda: not counting.wrong_labels(load, faults), load, time.monotonic() + 60)
    with suppress(TimeoutError):
        idle = [home.journal for home in load.fleet.homes]
        _wait(lambda: not any(one.exists() for one in idle), load, time.monotonic() + 30)
    counting.count_records(report, load, faults)
    counting.count_github(report, load, faults)
    if plan.scenes:
        _scenes(report, load, faults)
    report.told.append(f"  with scenes: {time.monotonic() - began:.0f} s")


def _scenes(report: Report, load: Load, faults: Faults) -> None:
    away = scenes.broker_away(load.fleet, load, _SCENE_ISSUES)
    report.count("seconds alive after lease", *away)
    _wait(lambda: not _speak(faults, load), load, time.monotonic() + 60)
    untold, of, after = scenes.machine_gone(load.fleet, load, 2 * _SCENE_ISSUES)
    report.count("machine gone, nobody told", untold, of)
    _wait(lambda: not _speak(faults, load), load, time.monotonic() + 60)
    emptied = scenes.broker_emptied(load.fleet, load, 3 * _SCENE_ISSUES)
    report.count("begun again, broker emptied", emptied.again, emptied.running)
    report.count("labelled and missing, emptied", emptied.missing, emptied.labelled)
    report.told += [
        f"  machine gone: told after {after:.1f} s",
        f"  broker emptied: {emptied.unlabelled} came back of what waited without a label",
    ]


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
            load.request(issue if on_github else number + 1, github=on_github),
            double=number in doubles,
        )
    load.all_brought.set()


def _enough(plan: Plan, load: Load, faults: Faults) -> bool:
    """Work waits already; or it is ahead of the faults, which need something to strike."""
    waiting = len(load.taken) - len(counting.finished(load, faults))
    done = (faults.struck + _AHEAD * plan.strikes) / plan.strikes if plan.strikes else 1.0
    return waiting >= _BACKLOG * len(load.workers) or load.brought > plan.tasks * done


def _speak(faults: Faults, load: Load) -> list[str]:
    """Let earlier holders speak up until the work is done. Returns what is not."""
    faults.inject("late word")
    return counting.missing(load, faults)


def _hint(plan: Plan, load: Load) -> None:
    """As many duplicated messages as there were dispatches, spread over them."""
    while load.hints < plan.hints and not load.over.wait(0.05):
        if load.hints * plan.tasks < plan.hints * len(load.taken):
            load.stray_hint()


def _fault_loop(plan: Plan, load: Load, faults: Faults, began: float) -> None:
    """Spread over the work, whatever its pace; one that found nothing to hit is tried again."""
    todo = [name for name, often in plan.faults.items() for _ in range(often)]
    faults.dice.shuffle(todo)
    whole, last = len(todo), time.monotonic()
    deadline = began + (plan.working or plan.seconds)
    while todo and time.monotonic() < deadline:
        load.fleet.revive()
        share = len(counting.finished(load, faults)) / plan.tasks
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
        if load.all_brought.is_set() and not counting.missing(load, faults):
            return  # nothing is left to strike


def _wait(condition: object, load: Load, deadline: float) -> None:
    def met() -> bool:
        load.fleet.revive()
        return bool(condition())  # type: ignore[operator]

    until(met, max(0.0, deadline - time.monotonic()), "the end of the work")


def _count_processes(report: Report, made: Fleet) -> None:
    for host in made.hosts:
        if host.process:
            host.process.terminate()
    for host in made.hosts:
        if host.process:
            host.process.wait(30)
    left = made.left_over()
    report.count("orphan processes", len(left), len(made.homes))
    report.details += [f"left over: {one}" for one in left]


def _tell(plan: Plan, report: Report, load: Load, faults: Faults) -> None:
    runs = load.log.read()
    restarts = ", ".join(f"{often} x {name}" for name, often in sorted(faults.done.items()))
    report.told = [
        f"seed {plan.seed}{', mutant ' + plan.mutant if plan.mutant else ''}",
        f"  {len(load.taken)} tasks of {plan.tasks}, {len(runs)} runs",
        f"  {len(faults.agents_killed)} tasks had their agent killed",
        f"  {restarts}",
        f"  {load.hints} duplicated hints, {load.doubles} double dispatches",
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
