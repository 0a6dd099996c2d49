"""Commits of other people that are gone from a task's branch: its agent pushed over them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cw.errors import CwError
from workerhost.clones.quarantine import Quarantine
from workerhost.clones.reflogs import Traces, traces
from workerhost.settling.ended_run import EndedRun

if TYPE_CHECKING:
    from cw.forges.pulls import Push

_GONE = "0" * 40
_CLOCKS = timedelta(minutes=5)  # by which GitHub's may differ from ours
_MOST = 20


@dataclass(frozen=True, slots=True)
class Tips:
    """Of the task's branch: at the remote when this run began, and now (empty: it is gone there);
    `here`: in the clone. `ours`: what earlier attempts have left.
    """

    before: str
    now: str
    here: str = ""
    ours: Collection[str] = ()


def overwritten(box: Quarantine, ended: EndedRun, tips: Tips) -> tuple[str, ...]:
    """Its own commits an agent may replace, those of earlier attempts as well. By value: what was
    there when a run began and is not now is lost, whether or not the clone ever had it.
    """
    before, now, start = tips.before, tips.now, ended.start
    known = {sha for sha in (before, start.branch_sha if start else before) if sha}
    left = traces(box.place, box.place.branch, known)
    pushes = _pushes(ended, box.place.branch, before)
    # Whatever the branch had when the first run began is somebody else's.
    others = [start.branch_sha if start else before, *left.fetched, *_of_others(pushes, left)]
    # Since an attempt before this one somebody was there, unless that left it.
    others += [before] if before not in {*left.own, *tips.ours} else []
    lost = [sha for sha in dict.fromkeys(others) if sha and not _has(box, now, sha)]
    return tuple(lost[:_MOST]) if lost and _by_us(box, pushes, left, tips) else ()


def _has(box: Quarantine, head: str, sha: str) -> bool:
    return bool(head) and box.obtained(head) and box.has(sha) and box.is_ancestor(sha, head)


def _pushes(ended: EndedRun, branch: str, before: str) -> Sequence[Push]:
    """Of this run's time, as GitHub tells; other remotes tell nothing."""
    task, run, github = ended.task, ended.run, ended.github
    if github is None or not task.github:
        return ()
    try:
        found = github.pushes(task.repo, f"refs/heads/{branch}", run.started_at - _CLOCKS)
    except CwError:
        return ()
    at = max(
        (at + 1 for at, push in enumerate(found) if before and push.after == before), default=0
    )
    return found[at:]


def _of_others(pushes: Sequence[Push], left: Traces) -> list[str]:
    """Several people may share one account: what this clone has not made is not the agent's."""
    ours = {push.by for push in pushes if push.after in left.pushed}
    theirs = (
        push for push in pushes if push.after not in left.own or (ours and push.by not in ours)
    )
    return [push.after for push in theirs if push.after != _GONE]


def _by_us(box: Quarantine, pushes: Sequence[Push], left: Traces, tips: Tips) -> bool:
    """Whether a push from this clone took something away; people may do that themselves. What the
    remote has may be the clone's, whatever its records say.
    """
    for push in pushes:
        if (
            push.after in left.own
            and push.before != _GONE
            and not _has(box, push.after, push.before)
        ):
            return True
    return tips.now in {*left.own, tips.here} if tips.now else not pushes
