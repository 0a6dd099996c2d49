"""What our records say of a task, for people who look at a red count."""

from __future__ import annotations

from bench.chaos.load import Load
from cw.errors import CwError
from cw.models import Task
from cw.states import OutcomeKind

_WORDS = 200  # characters


def what_is_recorded(load: Load, task_id: str) -> str:
    try:
        task = load.store.tasks.get(task_id)
    except CwError as error:
        return error.message
    return f"{task_id} {said(task)}" if task else f"{task_id} gone"


def said(task: Task) -> str:
    outcome = task.outcome
    told = f"{outcome.reason}: {outcome.message}" if outcome else task.reason
    if outcome and outcome.report and outcome.kind is not OutcomeKind.SUCCEEDED:
        told += f" (its agent: {' '.join(outcome.report.split())[:_WORDS]})"
    return f"{task.state} {task.worker} attempt {task.attempt} {told}"
