"""What a host does about a hint that a task waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cw.errors import BrokerUnavailableError, CwError
from cw.homes.layout import Home
from workerhost.inbox.slots import Slots
from workerhost.runs.attempt import NotRun, run_task
from workerhost.runs.run_context import Context


class HintedRuns:
    """`homes`: the host's, as they come and go. `release`: a worker may take work again."""

    def __init__(
        self,
        ctx: Context,
        slots: Slots,
        homes: Mapping[str, Home],
        release: Callable[[str], None],
    ) -> None:
        self._ctx = ctx
        self._slots = slots
        self._homes = homes
        self._release = release

    def waits(self, task_id: str, worker: str | None) -> bool:
        """Whether it still waits, for this worker or anyone: a hint of another is passed over."""
        try:
            return self._ctx.store.tasks.waits_for(task_id, worker)
        except CwError:
            return True  # its run will find out

    def ranked(self, task_id: str, workers: list[str]) -> list[str]:
        """Those that may begin with it, the one whose account has most room first."""
        try:
            task = self._ctx.store.tasks.get(task_id)
        except CwError:
            return workers  # its run will find out
        return self._ctx.accounts.ranked(workers, task.spec) if task else workers

    def run(self, task_id: str) -> str:
        """A hint arrived: the body of `cw.run`."""
        worker = self._slots.claim(task_id)
        if worker is None:
            self._unhint(task_id)
            return NotRun("no idle worker, or it does not wait for one of these")
        try:
            said = self._run(worker, task_id)
            if isinstance(said, NotRun):
                self._unhint(task_id)
            return said
        finally:
            self._release(worker)

    def pass_over(self, task_id: str) -> None:
        """A hint arrived that is not to be acted on."""
        worker = self._slots.claim(task_id)
        if worker:
            self._release(worker)

    def _run(self, worker: str, task_id: str) -> str:
        """What is odd about one task ends here. A run that had begun has a journal, and is seen
        through from there.
        """
        troubles = self._ctx.troubles
        if troubles.waits("run", task_id):
            return NotRun("it failed for an unforeseen reason a moment ago")
        try:
            return run_task(self._ctx, self._homes[worker], task_id)
        except BrokerUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  one of the outermost loops
            trouble = troubles.count("run", error, task_id)
            said = f"unforeseen {trouble.error} at {trouble.place}"
            self._ctx.store.tasks.note(task_id, f"host {self._ctx.settings.host_name}: {said}")
            return NotRun(said)

    def _unhint(self, task_id: str) -> None:
        """Its hint was used up without effect; the next idle identity sends another."""
        try:
            self._ctx.store.tasks.mark_unhinted(task_id)
        except BrokerUnavailableError:
            return
