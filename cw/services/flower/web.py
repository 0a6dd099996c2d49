"""The pages of Flower that are ours: Revoke, Terminate, a worker's and /metrics.

What else Flower would do to a Celery worker (stop it, change its queues, its threads, its limits,
send it messages) breaks what the host does with them, so it is refused.
"""

from __future__ import annotations

from typing import Any

from celery.utils.serialization import strtobool
from flower.api import BaseApiHandler
from flower.views import BaseHandler
from flower.views.workers import WorkerView
from tornado import web

from cw.audit import Audit
from cw.errors import BadInputError, CwError
from cw.models import Task
from cw.operations.control.reset import Ended, Word, end_noted
from cw.operations.control.shared import Control, Patience
from cw.operations.fleet.lookup import need_task
from cw.services.flower.metrics import Metrics
from cw.settings import Settings
from cw.states import State

_REFUSED = (
    r"/api/worker/(?:shutdown|pool/\w+|queue/[\w-]+)/.+",
    r"/api/task/(?:apply|async-apply|send-task|abort|timeout|rate-limit)/.+",
)
_CONFLICT, _BAD_GATEWAY = 409, 502


def handlers(control: Control, audit: Audit, settings: Settings) -> list[Any]:
    """These come before Flower's own."""
    revoke = {"control": control, "audit": audit, "patience": 3 * settings.stop_grace + 10}
    return [
        (r"/api/task/revoke/(.+)", Revoke, revoke),
        (r"/worker/(.+)", WorkerPage),
        (r"/metrics", MetricsPage, {"metrics": Metrics(control.store)}),
        *((path, Refused) for path in _REFUSED),
    ]


class Revoke(BaseApiHandler):  # type: ignore[misc]
    """Revoke is `cw cancel`, Terminate is `cw reset --force`."""

    def initialize(self, control: Control, audit: Audit, patience: float) -> None:
        self._control, self._audit = control, audit
        self._patience = Patience(seconds=patience)

    @web.authenticated
    async def post(self, task_id: str) -> None:
        terminate = strtobool(self.get_argument("terminate", "false"))
        loop = self.application.io_loop
        try:
            done = await loop.run_in_executor(None, self._end, task_id, terminate)
        except BadInputError as error:
            raise web.HTTPError(_CONFLICT, error.line()) from error
        except CwError as error:
            raise web.HTTPError(_BAD_GATEWAY, error.line()) from error
        free = f"; worker {done.worker} is free" if done.worker else ""
        self.write({"message": f"{done.label} was {done.outcome.reason}{free}"})

    def _end(self, task_id: str, terminate: bool) -> Ended:
        task = need_task(self._control.store, task_id)
        if terminate:
            return self._end_as(task, "reset")
        if task.state is State.RUNNING:
            raise BadInputError(f"{task.spec.label} runs already", hint="Terminate ends it")
        return self._end_as(task, "cancelled")

    def _end_as(self, task: Task, word: Word) -> Ended:
        return end_noted(self._audit, self._control, task, word, patience=self._patience)


class Refused(BaseApiHandler):  # type: ignore[misc]
    @web.authenticated
    def post(self) -> None:
        raise web.HTTPError(
            _CONFLICT, "Not for a host of cw. Use: cw pause, cw drain, cw down, cw dispatch"
        )


class WorkerPage(WorkerView):  # type: ignore[misc]
    """Without the buttons that are refused; those of a task are ours, and stay."""

    def render(self, template_name: str, **values: Any) -> Any:
        return super().render(template_name, **values | {"read_only": True})


class MetricsPage(BaseHandler):  # type: ignore[misc]
    """Behind the password, unlike Flower's own: it tells what is worked on, and for how much."""

    def initialize(self, metrics: Metrics) -> None:
        self._metrics = metrics

    @web.authenticated
    async def get(self) -> None:
        self.application.purge_offline_worker_metrics()
        text = await self.application.io_loop.run_in_executor(None, self._metrics.text)
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.write(text)
