"""From what the agents wrote down."""

from __future__ import annotations

from itertools import pairwise

from bench.chaos import agentlog
from bench.chaos.agentlog import Seen
from bench.chaos.counts.saying import what_is_recorded
from bench.chaos.faults import Faults
from bench.chaos.load import Load
from bench.chaos.report import Found, found


def finished(load: Load, faults: Faults) -> set[str]:
    """Of the tasks that were taken: an agent brought them to their end, or we killed it and they
    say so.
    """
    done = set(agentlog.completed(load.log.read())) | faults.told()
    return done & {one.spec.id for one in list(load.taken)}


def missing(load: Load, faults: Faults) -> list[str]:
    done = finished(load, faults)
    return [one.spec.id for one in list(load.taken) if one.spec.id not in done]


def lost(load: Load, faults: Faults) -> Found:
    gone = missing(load, faults)
    return found([what_is_recorded(load, one) for one in gone], len(load.taken))


def completed_twice(load: Load, _faults: Faults) -> Found:
    runs = load.log.read()
    twice = [one for one, often in agentlog.completed(runs).items() if often > 1]
    return found([f"{one} {_runs_of(runs, one)}" for one in twice], len(load.taken))


def repeated_for_a_step(load: Load, _faults: Faults) -> Found:
    """Runs of a task after one of it had ended with a good result: what the remote or GitHub did
    not take is no work for an agent.
    """
    runs, good, wrong = load.log.read(), 0, []
    for task, those in agentlog.by(runs, "task").items():
        done = [one for one in those if one.good]
        good += len(done)
        if done and those[-1] is not done[0]:
            wrong.append(f"{task} {_runs_of(runs, task)}")
    return found(wrong, good)


def taken_twice(load: Load, faults: Faults) -> Found:
    """Issues given to a second task before the agent of the first had ended its work."""
    runs = load.log.read()
    over = set(agentlog.completed(runs)) | faults.agents_killed
    ended: dict[str, float] = {}
    for run in runs:
        if run.task in over:
            ended[run.task] = max(run.last, ended.get(run.task, 0.0))
    first: dict[str, float] = {}
    twice = []
    issues = [one for one in load.taken if one.spec.issue is not None]
    for one in sorted(issues, key=lambda one: one.at):
        key = f"{one.repo}#{one.spec.issue}"
        if key in first and one.asked < first[key]:
            twice.append(f"{key} {one.spec.id}")
        first[key] = ended.get(one.spec.id, float("inf"))
    return found(twice, load.doubles + load.late_doubles)


def seconds_with_two(load: Load, _faults: Faults) -> Found:
    runs = load.log.read()
    shared = agentlog.overlaps(runs, "issue") + agentlog.overlaps(runs, "home")
    return Found(float(sum(shared)), len(runs))


def older_fences(load: Load, _faults: Faults) -> Found:
    runs = load.log.read()
    return Found(agentlog.backward_fences(runs), len(runs))


def begun_anew(load: Load, _faults: Faults) -> Found:
    """Runs of a task that had one before, in another conversation than that one's, or in the same
    from its start.
    """
    runs = load.log.read()
    again = [
        (before, after)
        for task in agentlog.by(runs, "task").values()
        for before, after in pairwise(task)
    ]
    wrong = [
        after
        for before, after in again
        # Before its first beat an agent may not have begun its conversation.
        if after.session != before.session or (before.last > before.start and not after.resumed)
    ]
    return found([f"{one.task} {_runs_of(runs, one.task)}" for one in wrong], len(again))


def late_words(_load: Load, faults: Faults) -> Found:
    return Found(faults.late_accepted, faults.late_words)


def _runs_of(runs: list[Seen], task: str) -> list[str]:
    return [
        f"{one.home} a{one.attempt} f{one.fence} {one.start:.2f}-{one.last:.2f} rc={one.rc}"
        for one in runs
        if one.task == task
    ]
