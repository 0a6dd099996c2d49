"""Carrying out what the table of `agreement` decided. Each step can be repeated."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cw.forges.trusted_authors import approve
from cw.models import Outcome, Task
from cw.names import BLOCKED_LABEL, worker_label
from cw.operations.dispatch.dispatching import dispatch
from cw.operations.dispatch.request import Request
from cw.operations.dispatch.worker_label import ensure_worker_label
from cw.operations.reconciliation.agreement import Do, RepairStep
from cw.operations.rest.end import end
from cw.repos import github_repo
from cw.states import OutcomeKind

if TYPE_CHECKING:
    from cw.operations.passes.context import PassContext

_BLOCKED_COLOUR = "d93f0b"
_ONCE = timedelta(days=30)  # longer than any task


class Repairs:
    def __init__(self, ways: PassContext) -> None:
        self._ways = ways

    def carry_out(self, repo: str, number: int, step: RepairStep, task: Task | None) -> bool:
        """False: a person has to. Raises CwError when it could not be done."""
        github = self._ways.github
        if step.do is Do.UNLABEL:
            github.remove_label(repo, number, worker_label(step.worker))
        elif step.do is Do.BLOCK:
            github.ensure_label(
                repo, BLOCKED_LABEL, "Workers leave this issue alone", _BLOCKED_COLOUR
            )
            github.add_label(repo, number, BLOCKED_LABEL)
        elif step.do is Do.ADOPT:
            return self._adopt(repo, number, step.worker)
        elif step.do is Do.RELABEL and task:
            self._relabel(repo, number, step.worker, task)
        elif step.do is Do.CLOSE and task:
            return self._close(task, step)
        elif step.do is Do.STOP and task:
            self._ways.store.tasks.want_stop(task, self._ways.by)
        else:
            return False
        return True

    def relabelled(self, task: Task) -> bool:
        return self._ways.store.github.fact(_relabelled(task)) is not None

    def _adopt(self, repo: str, number: int, worker: str) -> bool:
        """The lost task's record said who stood for the text; without it, only those may who could
        have had it assigned. Anything else a person has to dispatch again.
        """
        settings, github = self._ways.settings, self._ways.github
        reader = github.reader(self._ways.store.github)
        approval = approve(
            github.thread(repo, number),
            settings.assign_go_label,
            lambda login: reader.may_write(repo, login),
        )
        if approval is None:
            return False
        request = Request(
            repo=github_repo(repo, settings.github_url),
            issue=number,
            worker=worker,
            prompt="",
            model=settings.model,
            by=self._ways.by,
            adopt=True,
            approval=approval,
        )
        dispatch(request, self._ways.store, github, self._ways.hint)
        return True

    def _relabel(self, repo: str, number: int, worker: str, task: Task) -> None:
        ensure_worker_label(repo, worker, self._ways.github, self._ways.store)
        self._ways.github.add_label(repo, number, worker_label(worker))
        self._ways.store.github.keep_fact(_relabelled(task), "once", _ONCE)

    def _close(self, task: Task, step: RepairStep) -> bool:
        outcome = Outcome(
            kind=OutcomeKind.STOPPED,
            reason=step.reason,
            message=step.why,
            branch=task.branch,
        )
        host = self._ways.settings.host_name  # its labels have steps of their own
        return end(self._ways.store, task, outcome, host=host, labelled=False)


def _relabelled(task: Task) -> str:
    return f"relabelled:{task.spec.id}"
