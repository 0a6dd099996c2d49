"""`cw reconcile`: labels, tasks and issues made to agree again. Safe to run anywhere, at any time.

What the lists suggest is looked at again, freshly, before anything is done about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cw.errors import CwError, GitHubRefusedError, GitHubUnavailableError, GoneError
from cw.forges.issues import Listed
from cw.forges.repositories import Place
from cw.models import Model, Task
from cw.names import is_worker_label, repo_key
from cw.operations.passes import scope
from cw.operations.passes.github_pass import GitHubPass, Passed
from cw.operations.reconciliation.agreement import (
    Do,
    IssueState,
    RepairStep,
    decide,
)
from cw.operations.reconciliation.repair import Repairs
from cw.operations.reconciliation.unlisted import Unlisted
from cw.states import State

if TYPE_CHECKING:
    from cw.forges.issues import Issue
    from cw.operations.passes.context import PassContext

LOCK = "reconcile"


class Repair(Model):
    """One disagreement and what was done about it."""

    repo: str
    issue: int
    action: Do
    worker: str = ""
    why: str
    done: bool = False
    error: str = ""


class Reconciled(Passed[Repair]):
    """What one pass found and did."""


def reconcile(ways: PassContext, *, dry_run: bool = False) -> Reconciled:
    """One pass over the configured repositories and those of unfinished tasks.

    Raises BrokerUnavailableError.
    """
    with ways.store.locks.held(LOCK) as lock:
        return _Pass(ways, dry_run).run(lock.renew) if lock else Reconciled(busy=True)


class _Pass(GitHubPass[Repair]):
    def __post_init__(self) -> None:
        super().__post_init__()
        self._unlisted = Unlisted(self.reader)
        self._repairs = Repairs(self.ways)

    def run(self, step: Callable[[], None]) -> Reconciled:
        return self.report(Reconciled, lambda: self._run(step))

    def _run(self, step: Callable[[], None]) -> None:
        store = self.ways.store
        self._workers = frozenset(worker.id for worker in store.fleet.workers())
        mine = [task for task in store.tasks.open_tasks() if task.spec.github]
        tasks = {self.key(task): task for task in mine if task.spec.issue is not None}
        for place in self._places(list(tasks.values())):
            step()
            try:
                for number, seen in self._suspects(place, _of(place, tasks)):
                    step()
                    self._settle(place, number, seen)
                self.troubles = 0
            except (GitHubRefusedError, GitHubUnavailableError) as error:
                self.told(place.name, error)

    def _places(self, tasks: list[Task]) -> list[Place]:
        """The configured repositories and those of tasks, whatever they are called by now."""
        found = {
            place.id: place for place in self.find(scope.repos(self.ways.settings, self.reader))
        }
        for spec in (task.spec for task in tasks):
            if spec.repo_id in found:
                continue
            try:
                place = self.places.place(spec.repo, spec.repo_id)
                found[place.id] = place
            except (GitHubRefusedError, GitHubUnavailableError) as error:
                self.told(spec.repo, error)
        return list(found.values())

    def _suspects(
        self, place: Place, tasks: dict[tuple[str, int], Task]
    ) -> Iterator[tuple[int, IssueState]]:
        """Issues whose row in the list does not agree with our records."""
        repo, unread = place.name, len(self.reader.odd)
        listed = self.reader.open_issues(repo, place.id)
        whole = len(self.reader.odd) == unread
        names = {repo_key(repo, place.id): (repo,)}
        finished = self.ways.store.tasks.finished([issue.key for issue in listed], names)
        pulls = {issue.number for issue in listed if issue.is_pull}
        now = self.ways.store.tasks.now()
        seen = {
            issue.key: self._seen(issue.labels, tasks.get(issue.key), finished.get(issue.key), now)
            for issue in listed
            if not issue.is_pull
        }
        for issue in self.reader.closed_lately(repo, place.id):
            if not issue.is_pull and issue.key not in tasks and _marked(issue):
                seen[issue.key] = replace(self._seen(issue.labels, None, None, now), open=False)
        for key, task in tasks.items() if whole else ():
            if key not in seen:
                seen[key] = replace(self._seen((), task, None, now), open=False)
        for (_, number), found in seen.items():
            asked = self._unlisted.complete(repo, number, found, pulls)
            if decide(asked):
                yield number, asked

    def _seen(
        self, labels: tuple[str, ...], task: Task | None, finished: Task | None, now: datetime
    ) -> IssueState:
        return IssueState(
            open=True,
            labels=labels,
            task=task,
            finished=finished,
            workers=self._workers,
            relabelled=task is not None and self._repairs.relabelled(task),
            now=now,
            grace=timedelta(seconds=self.ways.settings.reconcile_grace),
        )

    def _settle(self, place: Place, number: int, suspected: IssueState) -> None:
        """Look again, freshly; then act. Telling a person needs no second look."""
        repo = place.name
        first = decide(suspected)
        if all(step.do is Do.REPORT for step in first):
            self.rows += [_row(repo, number, step) for step in first]
            return
        store = self.ways.store
        if self.places.place(repo).id != place.id:
            self.warnings.append(f"{repo} is another repository now; left for the next pass")
            return
        task = self._holder(place, number, suspected)
        issue = self._issue(place, number)
        is_open, labels = (issue.open, issue.labels) if issue else (False, ())
        seen = replace(suspected, open=is_open, labels=labels, task=task, now=store.tasks.now())
        steps = decide(self._unlisted.complete(repo, number, seen, set()))
        if task and self._moved_on(task):  # GitHub took its time
            return
        for step in steps:
            self._act(repo, number, step, task)

    def _moved_on(self, task: Task) -> bool:
        """Whether what was decided of it is of before: the next pass looks again."""
        now = self.ways.store.tasks.get(task.spec.id)
        return now is None or (now.state, now.line) != (task.state, task.line)

    def _issue(self, place: Place, number: int) -> Issue | None:
        """None: it was deleted, or transferred. GitHub says the same of all issues of a repository
        that is being renamed. Raises GitHubRefusedError, GitHubUnavailableError.
        """
        with suppress(GoneError):
            return self.ways.github.issue(place.name, number)
        now = self.places.place(place.name, place.id).name
        with suppress(GoneError):
            return self.ways.github.issue(now, number)
        return None

    def _holder(self, place: Place, number: int, suspected: IssueState) -> Task | None:
        """The unfinished task, as it is now. Of before, its claim is by a name that may be gone."""
        tasks = self.ways.store.tasks
        holder = tasks.claimed_by(repo_key(place.name, place.id), number)
        if holder is None and suspected.task and not suspected.task.spec.repo_id:
            holder = suspected.task.spec.id
        task = tasks.get(holder) if holder else None
        return task if task and task.state is not State.DONE else None

    def _act(self, repo: str, number: int, step: RepairStep, task: Task | None) -> None:
        row = _row(repo, number, step)
        if not self.dry_run:
            try:
                done = self._repairs.carry_out(repo, number, step, task)
                row = row.model_copy(update={"done": done})
                self.troubles = 0
            except CwError as error:
                if isinstance(error, GitHubUnavailableError):
                    self.bear(error)
                row = row.model_copy(update={"error": error.message})
        self.rows.append(row)


def _row(repo: str, number: int, step: RepairStep) -> Repair:
    return Repair(repo=repo, issue=number, action=step.do, worker=step.worker, why=step.why)


def _of(place: Place, tasks: dict[tuple[str, int], Task]) -> dict[tuple[str, int], Task]:
    mine = repo_key(place.name, place.id)
    return {key: task for key, task in tasks.items() if key[0] == mine}


def _marked(issue: Listed) -> bool:
    return any(map(is_worker_label, issue.labels))
