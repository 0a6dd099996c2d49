"""Commits that the remote did not take. The host's mirror keeps them beside the clone that has
them, as data that was checked: the next run of their issue begins with them, in whichever HOME.
"""

from __future__ import annotations

from cw.errors import CwError, WorkspaceError
from cw.models import TaskSpec
from workerhost.clones.done import need
from workerhost.clones.mirror import KEPT
from workerhost.clones.quarantine import Quarantine

_INCOMING = "refs/heads/undelivered"


def keep_for_next(box: Quarantine, task: TaskSpec, head: str) -> bool:
    """Whether the mirror has them now. `head`: was brought into the quarantine."""
    ref = _ref(task, box.place.branch)
    try:
        if _listed(box, ref) == {ref: head}:
            return True
        box.need("update-ref", _INCOMING, head)
        what = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(box.path))
        asked = (*what, f"+{_INCOMING}:{ref}")
        need(box.git.own(*asked, at=box.mirror, lender=box.path), "fetch")
    except (CwError, OSError):
        return False
    return True


def delivered(box: Quarantine, task: TaskSpec, head: str) -> None:
    """What the remote has by now nobody has to keep."""
    try:
        for ref, sha in _listed(box, _ref(task, "")).items():
            if box.is_ancestor(sha, head):
                box.git.own("update-ref", "-d", ref, sha, at=box.mirror)
    except WorkspaceError:
        return


def _ref(task: TaskSpec, branch: str) -> str:
    """Below the first name of its issue's branches, whichever of them it is."""
    return f"{KEPT}{task.branch_name(1)}/{branch}"


def _listed(box: Quarantine, pattern: str) -> dict[str, str]:
    asked = ("for-each-ref", "--format=%(refname) %(objectname)", pattern)
    rows = need(box.git.own(*asked, at=box.mirror), "for-each-ref").splitlines()
    return {ref: sha for ref, _, sha in (row.partition(" ") for row in rows)}
