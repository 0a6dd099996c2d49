"""From the agents' log, GitHub's state and the process table to what has to be zero."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bench.chaos import agentlog
from bench.chaos.agentlog import Seen
from bench.chaos.faults import Faults
from bench.chaos.load import APP, Load
from bench.chaos.report import Report
from cw.errors import CwError
from cw.models import Task
from cw.states import OutcomeKind, State
from workerhost.homes.files import read_json

_SAID = {State.DONE, State.CRASHED, State.STOPPED}


def finished(load: Load, faults: Faults) -> set[str]:
    """Tasks that an agent brought to its end, or whose agent we killed."""
    return set(agentlog.completed(load.log.read())) | faults.agents_killed


def missing(load: Load, faults: Faults) -> list[str]:
    done = finished(load, faults)
    return [one.spec.id for one in load.taken if one.spec.id not in done]


def count_runs(report: Report, load: Load, faults: Faults) -> None:
    runs = load.log.read()
    done = agentlog.completed(runs)
    lost = missing(load, faults)
    report.count("lost, or not done in time", len(lost), len(load.taken))
    report.details += [f"lost: {_record(load, one)}" for one in lost]
    twice = [one for one, often in done.items() if often > 1]
    report.count("completed twice", len(twice), len(load.taken))
    report.details += [f"completed twice: {one} {_runs_of(runs, one)}" for one in twice]
    report.count("issue taken twice", *_taken_twice(load, runs))
    shared = agentlog.overlaps(runs, "issue") + agentlog.overlaps(runs, "home")
    report.count("seconds with two agents", float(sum(shared)), len(runs))
    report.count("older fence after newer", agentlog.backward_fences(runs), len(runs))
    report.count("late words accepted", faults.late_accepted, faults.late_words)
    report.details += [f"unexpected: {one}" for one in load.unexpected]


def count_records(report: Report, load: Load, faults: Faults) -> None:
    """To be called while the broker still knows all tasks."""
    completed = set(agentlog.completed(load.log.read()))
    unsaid, unproven = [], []
    for one in load.taken:
        task = load.store.tasks.get(one.spec.id)
        state = task.state if task else None
        if one.spec.id in completed and state is not State.DONE:
            unproven.append(f"{one.spec.id} {state}")
        elif one.spec.id in completed and one.commits and task and not _good(task):
            unproven.append(f"{one.spec.id} {_said(task)}")
        elif one.spec.id not in completed and state not in _SAID:
            unsaid.append(f"{one.spec.id} {state}")
    report.count("completed, recorded otherwise", len(unproven), len(completed))
    report.count("agent killed, nobody told", len(unsaid), len(faults.agents_killed))
    report.details += [f"recorded otherwise: {one}" for one in unproven]
    report.details += [f"untold: {one}" for one in unsaid]


def count_github(report: Report, load: Load, faults: Faults) -> None:
    wrong = wrong_labels(load, faults)
    issues = [one for one in load.taken if one.spec.github]
    heads = Counter(one.head for one in load.fleet.hub.pulls(APP))
    report.count("duplicate pull requests", sum(n - 1 for n in heads.values()), len(issues))
    report.count("wrong labels after 60 s", len(wrong), len(issues))
    report.details += wrong


def wrong_labels(load: Load, faults: Faults) -> list[str]:
    """Issues whose labels or pull requests do not fit what their agent did. An agent that was
    killed after its last word has done its work; only the words before that are a failure.
    """
    done, wrong = agentlog.completed(load.log.read()), []
    heads = {one.head for one in load.fleet.hub.pulls(APP)}
    for one in load.taken:
        number = one.spec.issue
        if not one.spec.github or number is None:
            continue
        labels = [n for n in load.fleet.hub.issue(APP, number).labels if n.startswith("worker:")]
        proven = not labels and one.spec.branch in heads
        told = len(labels) == 1 and one.spec.id in faults.agents_killed
        if not proven and (one.spec.id in done or not told):
            there = "pull request" if one.spec.branch in heads else "no pull request"
            wrong.append(f"#{number}: {labels}, {there}, {_record(load, one.spec.id)}")
    return wrong


def count_files(report: Report, load: Load) -> None:
    files = [
        path
        for home in load.fleet.homes
        for folder in (home.run, home.completed)
        for path in folder.glob("*.json*")
    ]
    bad = [path for path in files if ".corrupt-" in path.name or not _readable(path)]
    report.count("unreadable records", len(bad), len(files))
    report.details += [f"unreadable: {path.name}" for path in bad]


def _readable(path: Path) -> bool:
    return path.suffix != ".json" or read_json(path) is not None


def _taken_twice(load: Load, runs: list[Seen]) -> tuple[int, int]:
    """Issues given to a second task before the agent of the first had ended its work."""
    ended = {one.task: one.last for one in runs if one.completed}
    first: dict[str, float] = {}
    twice = 0
    for one in sorted(load.taken, key=lambda one: one.at):
        key = f"{one.spec.repo}#{one.spec.issue}"
        if key in first and one.asked < first[key]:
            twice += 1
        first[key] = ended.get(one.spec.id, float("inf"))
    return twice, load.doubles


def _record(load: Load, task_id: str) -> str:
    try:
        task = load.store.tasks.get(task_id)
    except CwError as error:
        return error.message
    return f"{task_id} {_said(task)}" if task else "gone"


def _said(task: Task) -> str:
    outcome = task.outcome
    said = f"{outcome.reason}: {outcome.message}" if outcome else task.reason
    return f"{task.state} {task.worker} attempt {task.attempt} {said}"


def _good(task: Task) -> bool:
    return task.outcome is not None and task.outcome.kind is OutcomeKind.SUCCEEDED


def _runs_of(runs: list[Seen], task: str) -> list[str]:
    return [
        f"{one.home} a{one.attempt} f{one.fence} {one.start:.2f}-{one.last:.2f} rc={one.rc}"
        for one in runs
        if one.task == task
    ]
