"""What a repair is told when a run of it starts: asked anew, as all may have changed since."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from cw.errors import BadInputError, NothingLeftError
from cw.homes.layout import homes
from cw.models import Repair, TaskSpec
from cw.operations.reconciliation.rebuilding import runs_of_pull
from cw.pulls.record import Cause
from workerhost.clones.git import Git
from workerhost.clones.lens import lens
from workerhost.clones.merging import merge
from workerhost.clones.workspace import Workspace
from workerhost.prompts.repairing import Mending
from workerhost.prompts.trusted_comments import writers
from workerhost.prompts.trusted_reviews import hear_review

if TYPE_CHECKING:
    from cw.forges.client import Client
    from cw.forges.reading import Kept


def ask(
    github: Client, kept: Kept, spec: TaskSpec, *, first: bool, bots: Collection[str] = ()
) -> Mending:
    """As far as the forge knows. `first`: no run of the task was there yet; others are to finish
    what one began. `bots`: whose remarks count. Raises NothingLeftError, GitHubRefusedError,
    GitHubUnavailableError.
    """
    repair = spec.repair
    if repair is None:
        return Mending()
    if repair.cause not in {Cause.CHECKS, Cause.CONFLICT, Cause.REVIEW}:
        raise BadInputError(f"this cw mends no {repair.cause}", hint="Update it: cw update")
    _require_open(github, spec, repair)
    if repair.cause == Cause.CHECKS:
        found = Mending(failures=github.failures(spec.repo, repair.head, repair.checks, kept))
        if first and not found.failures:
            raise NothingLeftError("none of its checks is red any more")
        return found
    if repair.cause == Cause.REVIEW:
        writes = writers(github.reader(kept), spec.repo)
        reviewed = github.threads(spec.repo, repair.number)
        found = Mending(
            review=hear_review(reviewed, repair.threads, writes, bots),
            findings=repair.findings,
            findings_number=len(repair.threads) + 1,
        )
        if first and not (found.numbers or found.review.changes):
            raise NothingLeftError("its reviewers ask for nothing any more")
        return found
    return Mending()


def _require_open(github: Client, spec: TaskSpec, repair: Repair) -> None:
    _, pulls = github.standing(spec.repo, repair.branch)
    pull = next((pull for pull in pulls if pull.number == repair.number), None)
    if pull is None or not pull.open:
        became = "merged" if pull and pull.merged else "closed"
        raise NothingLeftError(f"{repair.url} was {became} before it could be mended")


def complete(git: Git, place: Workspace, repair: Repair, found: Mending, *, first: bool) -> Mending:
    """With what git says of a conflict. Raises NothingLeftError, WorkspaceError."""
    if repair.cause != Cause.CONFLICT:
        return found
    ours, theirs = f"refs/heads/{place.branch}", f"refs/remotes/origin/{repair.base}"
    with lens(git, place.clone) as seen:
        made = merge(seen.run, ours, theirs)
    if first and made and not made.conflicts:
        raise NothingLeftError(f"it does not conflict with {repair.base} any more")
    return Mending(conflicts=made.conflicts if made else None)


def last_report(workers_root: Path, spec: TaskSpec) -> str:
    """What the last agent at the pull request said of it, as far as this machine's archives know;
    empty: they do not.
    """
    books = [book for home in homes(workers_root) for book in runs_of_pull(home, spec)]
    said = [book for book in books if book.outcome and book.outcome.report]
    said.sort(key=lambda book: book.run.ended_at or book.run.started_at)
    return said[-1].outcome.report if said and said[-1].outcome else ""
