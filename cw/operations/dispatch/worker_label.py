"""The label that says on GitHub which worker has an issue."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cw.errors import ClaimedError
from cw.models import TaskSpec
from cw.names import has_label, is_worker_label, same_label, worker_label

if TYPE_CHECKING:
    from cw.forges.client import Labels
    from cw.store.store import Store

_LABEL_LIFE = timedelta(days=1)


def mark_issue(spec: TaskSpec, github: Labels, worker: str, store: Store, left: str = "") -> None:
    """Mark the issue as this worker's. Somebody else's label wins over ours, but not `left`: that
    of the issue's last task, whose host may be late with it.
    """
    if spec.issue is None:
        return
    mine = worker_label(worker)
    ensure_worker_label(spec.repo, worker, github, store)
    after = github.add_label(spec.repo, spec.issue, mine)
    marked = [label for label in after if is_worker_label(label) and not same_label(label, mine)]
    if has_label(marked, left):
        github.remove_label(spec.repo, spec.issue, left)
    others = [label for label in marked if not same_label(label, left)]
    if others:
        raise ClaimedError(
            f"{spec.label} was given {', '.join(others)} at the same moment",
            hint="If nobody works on it, remove the label and dispatch again",
        )


def ensure_worker_label(repo: str, worker: str, github: Labels, store: Store) -> None:
    """With colour and description; asked once a day."""
    name = worker_label(worker)
    made = f"label:{repo.lower()}:{name}"
    if store.github.fact(made) is None:
        github.ensure_label(repo, name, f"Claude worker {worker} has this issue")
        store.github.keep_fact(made, "made", _LABEL_LIFE)
