"""`cw assign`: one issue for every idle worker, oldest first.

Two passes at once would be safe, because dispatch claims; the lock saves the second's requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cw.breakers import why_held
from cw.errors import (
    BadInputError,
    ClaimedError,
    CwError,
    GitHubRefusedError,
    GitHubUnavailableError,
)
from cw.forges.issues import Listed
from cw.forges.repositories import Place
from cw.models import Model, Task
from cw.operations.assignment.eligibility import (
    UNFINISHED,
    Eligibility,
    Facts,
    Word,
    done_with,
    idle_workers,
    in_order,
    judge,
    reviews,
)
from cw.operations.assignment.questions import Questions
from cw.operations.dispatch.dispatching import dispatch
from cw.operations.dispatch.request import Request
from cw.operations.fleet.accounts import taking_model
from cw.operations.passes import scope
from cw.operations.passes.github_pass import GitHubPass, Passed
from cw.repos import github_repo

if TYPE_CHECKING:
    from cw.forges.trusted_authors import Approval
    from cw.operations.passes.context import PassContext

LOCK = "assign"
_REFUSALS = 3  # of one repository, after which it is left alone for this pass


class Row(Model):
    """One issue and what became of it."""

    repo: str
    issue: int
    title: str
    verdict: Word
    reason: str
    worker: str = ""
    task: str = ""


class Assigned(Passed[Row]):
    @property
    def dispatched(self) -> list[Row]:
        return [row for row in self.rows if row.task]


def assign(ways: PassContext, *, dry_run: bool = False) -> Assigned:
    """One pass. Raises BadInputError when nothing is configured, BrokerUnavailableError."""
    scope.require_configured(ways.settings)
    if dry_run:
        return Pass(ways, dry_run=True).run(lambda: None)
    with ways.store.locks.held(LOCK) as lock:
        return Pass(ways).run(lock.renew) if lock else Assigned(busy=True)


@dataclass
class Pass(GitHubPass[Row]):
    """One pass from the lists to the dispatches."""

    refusals: Counter[str] = field(default_factory=Counter)
    tasks_of: Counter[str] = field(default_factory=Counter)

    def run(self, step: Callable[[], None]) -> Assigned:
        """`step` is called between requests and may end the pass by raising LockLostError."""
        return self.report(Assigned, lambda: self._run(step))

    def _run(self, step: Callable[[], None]) -> None:
        settings, store = self.ways.settings, self.ways.store
        read = self._read(self.find(scope.repos(settings, self.reader)), step)
        issues = [issue for found in read.values() for issue in found]
        now = store.tasks.now()
        questions = Questions(self.reader, store.github, settings.assign_go_label, now)
        questions.listed(list(read), issues)
        tasks = store.tasks.open_tasks()
        self._know(tasks, issues)
        self._holds = store.breakers.holds()
        takes = taking_model(store, now)
        able = [one for one in store.fleet.workers() if takes(one.id, settings.model)]
        idle = idle_workers(able, store.fleet.hosts(), tasks, settings.assign_reserve, now)
        for issue in in_order(issues, settings.assign_priority_labels):
            step()
            self._one(issue, questions, idle)

    def _read(self, places: list[Place], step: Callable[[], None]) -> dict[str, list[Listed]]:
        """The lists by repository; one that cannot be had or read leaves the others alone."""
        read: dict[str, list[Listed]] = {}
        for place in places:
            step()
            try:
                read[place.name] = self.reader.open_issues(place.name, place.id)
                self.troubles = 0
            except (GitHubRefusedError, GitHubUnavailableError) as error:
                self.told(place.name, error)
        return read

    def _know(self, tasks: list[Task], issues: list[Listed]) -> None:
        """What our own records say about the listed issues."""
        self._holders = {self.key(task): task.spec.id for task in tasks if task.spec.github}
        names = {issue.key[0]: (issue.repo,) for issue in issues}
        self._finished = self.ways.store.tasks.finished([issue.key for issue in issues], names)
        self.tasks_of.update(self.key(task)[0] for task in tasks if task.state in UNFINISHED)
        self._reviews = reviews(issues, self._finished)

    def _one(self, issue: Listed, questions: Questions, idle: list[str]) -> None:
        ask = bool(idle) or self.dry_run
        verdict = judge(issue, self._facts(issue), self.ways.settings.assign_go_label)
        if verdict.word is Word.UNKNOWN:
            verdict = judge(
                issue, self._facts(issue, questions, ask=ask), self.ways.settings.assign_go_label
            )
        place = issue.key[0]
        able = [worker for worker in idle if not why_held(self._holds, place, worker)]
        if verdict.word is not Word.ASSIGN:
            self._note(issue, verdict)
        elif not idle:
            self._note(issue, Eligibility(Word.NO_WORKER, "could start, but no worker is idle"))
        elif not able:
            self._note(issue, Eligibility(Word.HELD, why_held(self._holds, place, idle[0])))
        elif self.refusals[place] >= _REFUSALS:
            self._note(
                issue, Eligibility(Word.REFUSED, "its repository refused others of this pass")
            )
        elif self.dry_run:
            self._note(issue, Eligibility(Word.ASSIGN, "would be assigned"), worker=able[0])
            idle.remove(able[0])
            self.tasks_of[place] += 1
        elif self._dispatch(issue, able[0], questions.approval(issue)):
            idle.remove(able[0])

    def _facts(
        self, issue: Listed, questions: Questions | None = None, *, ask: bool = False
    ) -> Facts:
        """Without `questions` only what is known anyway."""
        settings = self.ways.settings
        blockers, unread = questions.blockers(issue, ask=ask) if questions else ((), issue.needs)
        return Facts(
            task=self._holders.get(issue.key, ""),
            finished=done_with(self._finished.get(issue.key)),
            trusted=questions.trusted(issue, ask=ask and not blockers) if questions else None,
            blockers=blockers,
            unread=unread,
            repo_tasks=self.tasks_of[issue.key[0]],
            repo_cap=settings.assign_repo_cap,
            reviews=self._reviews,
            review_cap=settings.assign_review_cap,
            held=why_held(self._holds, issue.key[0], ""),
        )

    def _dispatch(self, issue: Listed, worker: str, approval: Approval | None) -> bool:
        """Whether the worker has it now. Raises GitHubUnavailableError when GitHub seems away."""
        settings = self.ways.settings
        request = Request(
            repo=github_repo(issue.repo, settings.github_url),
            issue=issue.number,
            worker=worker,
            prompt="",
            model=settings.model,
            by=self.ways.by,
            approval=approval,
            labels_up_to=settings.task_ceiling,
        )
        try:
            done = dispatch(request, self.ways.store, self.ways.github, self.ways.hint)
        except CwError as error:
            self._note(issue, self._trouble(error, issue))
            return False
        self.troubles = 0
        self.tasks_of[issue.key[0]] += 1
        self._note(issue, Eligibility(Word.ASSIGN, "assigned"), worker=worker, task=done.task.id)
        return True

    def _trouble(self, error: CwError, issue: Listed) -> Eligibility:
        """What a failed dispatch means for its issue; raises when it means something for all."""
        if isinstance(error, ClaimedError):
            return Eligibility(Word.TAKEN, error.message)
        if isinstance(error, BadInputError):
            self.refusals[issue.key[0]] += 1
            return Eligibility(Word.REFUSED, error.message)
        if not isinstance(error, GitHubUnavailableError):
            raise error
        self.bear(error)
        return Eligibility(Word.REFUSED, error.message)

    def _note(
        self, issue: Listed, verdict: Eligibility, *, worker: str = "", task: str = ""
    ) -> None:
        self.rows.append(
            Row(
                repo=issue.repo,
                issue=issue.number,
                title=issue.title,
                verdict=verdict.word,
                reason=verdict.reason,
                worker=worker,
                task=task,
            )
        )
