"""Celery's `revoke` and `terminate`, as whoever sends them means it: the task ends.

Celery's own remember the id for as long as the host lives and drop whatever comes with it; but our
messages carry the task's id, and a task has many. They would also end an attempt to stop a thread
with an error, and leave a worker reserved whose message they dropped. None of that is used here.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery.worker.control import Panel

from cw.audit import Audit
from cw.errors import CwError
from cw.operations.control.reset import end_noted
from cw.operations.control.shared import Control, Patience
from cw.operations.fleet.lookup import need_task
from cw.states import State

log = logging.getLogger("workerhost.commands")


class Revoker:
    """`host`: this one; a run is ended by the host that has it, and each of them hears of it."""

    def __init__(self, control: Control, audit: Audit, host: str, patience: float) -> None:
        self._control = control
        self._audit = audit
        self._host = host
        self._patience = Patience(seconds=patience)

    def revoke(self, task_id: str, *, terminate: bool) -> str:
        """Returns a line for the log."""
        task = need_task(self._control.store, task_id)
        if task.state is not State.RUNNING:
            end_noted(self._audit, self._control, task, "cancelled", patience=self._patience)
            return f"{task.spec.label} was cancelled"
        if not terminate:
            return f"{task.spec.label} runs already; only terminate ends it"
        if task.host != self._host:
            return f"{task.spec.label} runs on {task.host}"
        end_noted(self._audit, self._control, task, "reset", patience=self._patience)
        return f"{task.spec.label} was reset"

    def revoke_all(self, task_ids: list[str], *, terminate: bool) -> None:
        for task_id in task_ids:
            try:
                log.info("revoke task=%s: %s", task_id, self.revoke(task_id, terminate=terminate))
            except CwError as error:  # unknown, ended, or another host was quicker
                log.info("revoke task=%s: %s", task_id, error)


def register(revoker: Revoker) -> None:
    """In place of Celery's, in this process."""

    def revoke(_state: Any, task_id: Any, terminate: bool = False, **_: Any) -> dict[str, str]:
        """End tasks that wait; with terminate also those that run."""
        ids = [str(wanted) for wanted in (task_id if isinstance(task_id, list) else [task_id])]
        # Beside the consumer, which must go on hearing: to end a run takes seconds.
        threading.Thread(
            target=revoker.revoke_all,
            args=(ids,),
            kwargs={"terminate": bool(terminate)},
            name="revoke",
            daemon=True,
        ).start()
        return {"ok": f"ending: {', '.join(ids)}"}

    def terminate(state: Any, task_id: Any, **_: Any) -> dict[str, str]:
        """End tasks, also those that run."""
        return revoke(state, task_id, terminate=True)

    Panel.data["revoke"] = revoke
    Panel.data["terminate"] = terminate
    Panel.data.pop("revoke_by_stamped_headers", None)
