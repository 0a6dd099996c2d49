"""Our records, compared with what the agents wrote down."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bench.chaos import agentlog
from bench.chaos.counts.saying import said, what_is_recorded
from bench.chaos.faults import Faults
from bench.chaos.load import Load
from bench.chaos.report import Found, found
from cw.homes.files import read_json
from cw.models import Task
from cw.reasons import Charge, Reason, rule_of
from cw.states import State


def recorded_otherwise(load: Load, _faults: Faults) -> Found:
    """What an agent brought to its end has succeeded, with commits or without; but whoever was
    given an issue and committed nothing for it, or said that it went wrong, has failed, in these
    words.
    """
    completed = set(agentlog.completed(load.log.read())) & set(_taken(load))
    wrong = [
        what_is_recorded(load, one.spec.id)
        for one in load.taken
        if one.spec.id in completed and not _ended(load.store.tasks.get(one.spec.id), one.reason)
    ]
    return found(wrong, len(completed))


def untold(load: Load, faults: Faults) -> Found:
    """An agent that was killed has failed with these words, or its task went on and was completed.
    Whatever else became of it is a loss.
    """
    killed = faults.agents_killed & set(_taken(load))  # repairs end for reasons of their own
    rest = killed - set(agentlog.completed(load.log.read())) - faults.told()
    return found([what_is_recorded(load, one) for one in sorted(rest)], len(killed))


def not_gone_on(load: Load, faults: Faults) -> Found:
    """An agent that was killed before its last word goes on: here as often as it has to."""
    tasks = [load.store.tasks.get(one) for one in sorted(faults.agents_killed)]
    wrong = [task for task in tasks if _ended(task, "killed")]
    return found([f"{one.spec.id} {said(one)}" for one in wrong if one], len(tasks))


def charged_wrongly(load: Load, _faults: Faults) -> Found:
    """Each run but the last of a task was lost, put off, or interrupted for nothing: so many were
    charged, and no more. How often a task may be lost or put off does not matter for this.
    """
    interrupted = _interruptions(load)
    tasks = [task for one in _taken(load) if (task := load.store.tasks.get(one))]
    done = [one for one in tasks if one.state is State.DONE]
    wrong = [
        f"{one.spec.id} {one.losses} losses, {one.deferrals} deferrals, {free} free, {said(one)}"
        for one in done
        if one.losses + one.deferrals + (free := interrupted[one.spec.id]) != one.attempt - 1
    ]
    return found(wrong, len(done))


def unreadable(load: Load, _faults: Faults) -> Found:
    files = [
        path
        for home in load.fleet.homes
        for folder in (home.run, home.completed)
        for path in folder.glob("*.json*")
    ]
    bad = [path.name for path in files if ".corrupt-" in path.name or not _readable(path)]
    return found(bad, len(files))


def _interruptions(load: Load) -> Counter[str]:
    """Runs that ended with their host, their account or a shared budget, by task, as their archives
    say: all are charged nothing.
    """
    counts: Counter[str] = Counter()
    for home in load.fleet.homes:
        for path in home.completed.glob("*.json"):
            book = read_json(path) or {}
            outcome = book.get("outcome") or {}
            reason = outcome.get("reason", "")
            free = reason in {Reason.INTERRUPTED, Reason.SHARED_BUDGET}
            if free or rule_of(reason).charge is Charge.ACCOUNT:
                counts[book["task"]["id"]] += 1
    return counts


def _taken(load: Load) -> list[str]:
    return [one.spec.id for one in load.taken]


def _ended(task: Task | None, reason: str) -> bool:
    return (
        task is not None
        and task.state is State.DONE
        and task.outcome is not None
        and task.outcome.reason == reason
    )


def _readable(path: Path) -> bool:
    return path.suffix != ".json" or read_json(path) is not None
