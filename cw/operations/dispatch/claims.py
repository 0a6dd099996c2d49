"""Who has an issue: by our records, whatever its repository was called when they were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cw.errors import ClaimedError, GitHubRefusedError
from cw.models import Task
from cw.names import worker_label

if TYPE_CHECKING:
    from cw.forges.client import Repositories
    from cw.operations.dispatch.request import Request
    from cw.store.store import Store


def check_claims(request: Request, store: Store, github: Repositories | None) -> None:
    """Raises ClaimedError. Recording the task looks again; this saves GitHub's answers."""
    if request.issue is None:
        return
    place, number = request.key
    holder = store.tasks.claimed_by(place, number) or store.tasks.claimed_by(
        request.repo.name, number
    )
    if not holder and github and request.repo_id:
        old = store.tasks.claimed_by_name(number)
        same = (task for task in old if _id_of(github, task.spec.repo) == request.repo_id)
        holder = next((task.spec.id for task in same), None)
    if holder:
        label = f"{request.repo.short}#{request.issue}"
        raise claimed(label, store.tasks.get(holder), holder)


def _id_of(github: Repositories, repo: str) -> int:
    """Of a repository by a name that a task of before has, which it may not have any more."""
    try:
        return github.repository(repo).id
    except GitHubRefusedError:
        return 0


def left_behind(request: Request, store: Store) -> str:
    """The label of this issue's last task, which is over: it keeps `assign` away, not a person."""
    last = last_task(request, store)
    return worker_label(last.worker) if last and last.worker else ""


def last_task(request: Request, store: Store) -> Task | None:
    """Of this issue, that is over."""
    key, names = request.key, {request.key[0]: (request.repo.name,)}
    return store.tasks.finished([key], names).get(key) if request.issue is not None else None


def claimed(label: str, holder: Task | None, holder_id: str) -> ClaimedError:
    where = "is being dispatched right now"
    if holder:
        by = f" on worker {holder.worker}" if holder.worker else " in the pool"
        where = f"is {holder.state.value}{by}"
    return ClaimedError(
        f"{label} already has task {holder_id}, which {where}",
        task_id=holder_id,
        hint="See: cw status",
    )
