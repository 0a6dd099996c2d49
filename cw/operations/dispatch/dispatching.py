"""`cw dispatch`: validate, claim, record, label, hint. All of it or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cw.budgets.ceilings import LABEL, NONE, Amount, labelled
from cw.errors import (
    BadInputError,
    BrokerUnavailableError,
    ClaimedError,
    CwError,
)
from cw.forges.repositories import Repository
from cw.models import TaskSpec
from cw.names import (
    BLOCKED_LABEL,
    has_label,
    is_worker_label,
    new_task_id,
    worker_label,
)
from cw.operations.dispatch.branch_choice import foreseen, left_by, unpushed_by
from cw.operations.dispatch.claims import check_claims, claimed, last_task, left_behind
from cw.operations.dispatch.local_source import check_source
from cw.operations.dispatch.readiness import notes, ready
from cw.operations.dispatch.request import Request
from cw.operations.dispatch.worker_label import mark_issue
from cw.operations.fleet.lookup import unknown_worker
from cw.operations.views.overview import overview, read_fleet
from cw.operations.views.waiting import STARTS, what_next
from cw.repos import renamed
from cw.states import Mode
from cw.store.signing import prompt_sha256

if TYPE_CHECKING:
    from cw.forges.client import Dispatching, Issues, Labels, Repositories
    from cw.forges.issues import Issue
    from cw.store.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispatched:
    task: TaskSpec
    place: int  # 1: next in line of its worker or of the pool; 0: it has left the line already
    why: str  # what it waits for
    next: str  # what to type so that it moves; empty when it does by itself
    hosts_up: bool
    branch: str = ""  # that its work goes to, as far as is known
    notes: tuple[str, ...] = ()  # for whoever asked

    @property
    def starts(self) -> bool:
        return self.place == 0 or self.why == STARTS


def dispatch(
    request: Request, store: Store, github: Dispatching | None, hint: Callable[[TaskSpec], None]
) -> Dispatched:
    """Raises BadInputError, ClaimedError or UnavailableError; then nothing is left behind.

    `github` is None for a repository without GitHub.
    """
    check_request(request)
    _check_workers(request, store)
    if request.repo.path:
        check_source(Path(request.repo.path), request.apart)
    typed = request.repo.name
    request, found = _find(request, store, github)
    check_claims(request, store, github)
    left = left_behind(request, store)
    issue = _read_issue(request, github, left)
    spec = _spec(request, issue, store)
    try:
        store.tasks.create(spec, request.prompt)
    except ClaimedError as error:
        raise claimed(spec.label, store.tasks.get(error.task_id), error.task_id) from None
    try:
        if github and issue:
            if left and has_label(issue.labels, left):
                github.remove_label(spec.repo, issue.number, left)
            if request.worker:
                mark_issue(spec, github, request.worker, store, left)
        choice = foreseen(spec, github)  # before its host begins
        hint(spec)
    except CwError:
        _undo(spec, request, store, github)
        raise
    store.tasks.mark_hinted(spec.id, store.tasks.now())
    told = (*(notes(store.github, found, typed) if found else ()), *choice.told)
    told = (*told, spec.unpushed) if spec.unpushed else told
    if choice.left:
        told = (*told, "to go on with what is there: cw cancel it, then cw dispatch --continue")
    return _where(spec, store, choice.branch, told)


def check_request(request: Request) -> None:
    """What can be refused without asking anybody. Raises BadInputError."""
    if request.issue is None and not request.prompt:
        raise BadInputError(
            "nothing to do", hint="Give -i N for an issue, or -p TEXT (or text on stdin)"
        )
    if request.issue is not None and not request.repo.github and not request.prompt:
        raise BadInputError(
            f"{request.repo.name} has no issues to read",
            hint="It is not on GitHub: say what to do with -p TEXT",
        )
    if request.issue is not None and request.mode is not Mode.FREE:
        raise BadInputError(
            "--mode goes with a prompt, not with an issue",
            hint="For an issue, done means an open pull request",
        )
    if request.goes_on and request.issue is None:
        raise BadInputError(
            "--continue goes with an issue", hint="A task without one has a branch of its own"
        )
    if request.mode is Mode.ISSUE and not request.repo.github:
        raise BadInputError(f"{request.repo.name} is not on GitHub: it has no issues to create")


def _find(
    request: Request, store: Store, github: Repositories | None
) -> tuple[Request, Repository | None]:
    """The request with the repository as GitHub writes it, whatever was typed."""
    if github is None or not request.repo.github:
        return request, None
    issues = request.issue is not None or request.mode is Mode.ISSUE
    found = ready(github, store.github, request.repo.name, issues=issues)
    repo = renamed(request.repo, found.name)
    return replace(request, repo=repo, repo_id=found.id), found


def _check_workers(request: Request, store: Store) -> None:
    known = [worker.id for worker in store.fleet.workers()]
    if request.worker and request.worker not in known:
        raise unknown_worker(request.worker, known)
    if not known:
        raise BadInputError("there are no workers yet", hint="Make one with: cw init 01")


def _read_issue(request: Request, github: Issues | None, left: str) -> Issue | None:
    """The issue, fresh from GitHub, and fit to be worked on."""
    if github is None or not request.repo.github:
        return None
    name, number = request.repo.name, request.issue
    if number is None:
        return None
    issue = github.issue(name, number)
    if issue.is_pull:
        raise BadInputError(f"{name}#{number} is a pull request", hint="Give an issue's number")
    if not issue.open:
        raise BadInputError(f"{name}#{number} is closed", hint="Reopen it, or give another number")
    if has_label(issue.labels, BLOCKED_LABEL):
        raise BadInputError(
            f"{name}#{number} is labelled {BLOCKED_LABEL}", hint="Remove the label first"
        )
    try:
        labelled(issue.labels)
    except ValueError as error:
        raise BadInputError(
            f"{name}#{number} has a label that is no budget: {error}",
            hint=f"Use for example {LABEL}5usd, {LABEL}200turns or {LABEL}90min",
        ) from None
    if request.approval and request.approval.sha256 != issue.text_sha256:
        raise BadInputError(f"{name}#{number} was changed a moment ago", hint="Look at it again")
    own = worker_label(request.worker) if request.adopt and request.worker else ""
    foreign = [
        label
        for label in issue.labels
        if is_worker_label(label) and not has_label((own, left), label)
    ]
    if foreign:
        raise ClaimedError(
            f"{name}#{number} carries {', '.join(foreign)}, but no task here has it",
            hint="If nobody works on it, remove the label and dispatch again",
        )
    return issue


def _spec(request: Request, issue: Issue | None, store: Store) -> TaskSpec:
    now, last = store.tasks.now(), last_task(request, store)
    raw = request.prompt.encode()
    spec = TaskSpec(
        id=new_task_id(int(now.timestamp() * 1000), secrets.randbits),
        repo=request.repo.name,
        repo_id=request.repo_id,
        repo_url=request.repo.url,
        repo_folder=request.repo.folder,
        repo_path=request.repo.path,
        github=request.repo.github,
        issue=request.issue,
        title=issue.title if issue else _first_line(request.prompt),
        model=request.model,
        mode=request.mode,
        wanted_worker=request.worker,
        tag=request.tag,
        prompt_sha256=prompt_sha256(request.prompt),
        prompt_bytes=len(raw),
        created_at=now,
        created_by=request.by,
        approved_sha256=issue.text_sha256 if issue else "",
        approved_by=request.approval.by if request.approval else "",
        notify=request.notify,
        goes_on=request.goes_on,
        earlier=left_by(last),
        unpushed=unpushed_by(last),
    )
    return spec.within(_ceiling(request, issue))


def _ceiling(request: Request, issue: Issue | None) -> Amount:
    """What was typed counts more than the issue's labels."""
    said = labelled(issue.labels).up_to(request.labels_up_to) if issue else NONE
    return request.ceiling.instead(said)


def _undo(spec: TaskSpec, request: Request, store: Store, github: Labels | None) -> None:
    """Leave nothing behind; what cannot be undone now is a label that reconcile removes."""
    try:
        gone = store.tasks.withdraw(spec)
    except BrokerUnavailableError:
        return
    if gone and github and spec.issue is not None and request.worker:
        try:
            github.remove_label(spec.repo, spec.issue, worker_label(request.worker))
        except CwError:
            return


def _where(spec: TaskSpec, store: Store, branch: str, told: tuple[str, ...]) -> Dispatched:
    now = store.tasks.now()
    seen = overview(read_fleet(store), now)
    row = next((row for row in seen.waiting if row.about.task == spec.id), None)
    return Dispatched(
        task=spec,
        place=row.place if row else 0,
        why=row.reason if row else "",
        next=what_next(row, seen) if row else "",
        hosts_up=any(host.state == "up" for host in seen.hosts),
        branch=branch,
        notes=told,
    )


def _first_line(prompt: str) -> str:
    line = prompt.strip().splitlines()[0] if prompt.strip() else ""
    return line if len(line) <= 80 else line[:79] + "…"
