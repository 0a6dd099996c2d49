"""`cw reset` and `cw cancel`: a task ends without success, and its worker is free again."""

from __future__ import annotations

from typing import Literal

from cw.audit import Audit
from cw.errors import BadInputError, CwError, UnavailableError
from cw.models import Model, Outcome, Task
from cw.operations.control.closing import close, give_back
from cw.operations.control.shared import Control, Patience
from cw.operations.control.stop import stop
from cw.operations.fleet.lookup import need_task
from cw.states import State

Word = Literal["reset", "cancelled"]


class Ended(Model):
    """A task that was closed; `outcome` keeps the facts of its last run."""

    task: str
    label: str
    worker: str | None
    outcome: Outcome


def end(control: Control, task: Task, word: Word, *, force: bool, patience: Patience) -> Ended:
    """Raises BadInputError for a run without `force`, and for what has ended already."""
    spec = task.spec
    if task.state is State.DONE and task.outcome and word == "reset" and give_back(control, task):
        return Ended(task=spec.id, label=spec.label, worker=task.worker, outcome=task.outcome)
    if task.state is State.DONE:
        raise BadInputError(f"{spec.label} is done already", hint=f"See: cw history {spec.id}")
    if task.state is State.RUNNING:
        if not force:
            who = task.worker or spec.id
            hint = f"Stop it first: cw stop {who}; or give --force"
            raise BadInputError(f"{spec.label} is running", hint=hint)
        task = _stopped(control, task, patience)
    outcome = close(control, task, word)
    return Ended(task=spec.id, label=spec.label, worker=task.worker, outcome=outcome)


def end_noted(
    audit: Audit, control: Control, task: Task, word: Word, *, patience: Patience
) -> Ended:
    """For those who press a button: written down under the name of the command that does this."""
    what = "cancel" if word == "cancelled" else "reset"
    with audit.after(what, control.by, task=task.spec.id):
        return end(control, task, word, force=word == "reset", patience=patience)


def _stopped(control: Control, task: Task, patience: Patience) -> Task:
    """Its record once the run is over. Raises CwError when it does not stop."""
    (result,) = stop(control, [task], patience)
    if result.away:
        raise UnavailableError(
            f"host {task.host} is away, so the run of {result.label} cannot be stopped now",
            hint="It stops when its host is back; then reset it again",
        )
    if result.state is State.RUNNING:
        raise CwError(f"{result.label} has not stopped yet", hint="Try again, or see: cw status")
    return need_task(control.store, result.task)
