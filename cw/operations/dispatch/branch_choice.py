"""Which branch a task takes. Work counts as an issue's own only on a branch that is ours: what
somebody else has begun there, and what was merged or turned down, is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from cw.errors import BadInputError, CwError, NothingLeftError
from cw.models import MOST_BRANCHES, Repair, Task, TaskSpec

if TYPE_CHECKING:
    from cw.forges.client import Branches
    from cw.forges.pulls import Pull


_MOST_KEPT = 10


class Use(Enum):
    TAKEN = "the task's work goes there"
    LEFT = "left as it is, unless a person says otherwise"
    OVER = "merged: nobody goes on there"


@dataclass(frozen=True, slots=True)
class Standing:
    """A branch at the remote. `sha`: empty when there is none. `pulls`: newest first."""

    sha: str = ""
    pulls: tuple[Pull, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """`sha`: what the branch stands at; empty: it is new. `told`: for people and the agent.
    `left`: one was left that a person may want to go on with. `passed`: names that others have
    taken; what our tasks could not push there belongs on this one.
    """

    branch: str
    sha: str = ""
    told: tuple[str, ...] = ()
    left: bool = False
    passed: tuple[str, ...] = ()


def left_by(last: Task | None) -> dict[str, str]:
    """Branches that tasks of an issue have left at the remote, with their heads. `last`: the last
    that ended. Pure.
    """
    if last is None:
        return {}
    done, repair = last.outcome, last.spec.repair
    found = dict(last.spec.earlier)
    if repair:
        found[repair.branch] = repair.head
    if done and done.branch and done.head and done.pushed:
        found[done.branch] = done.head
    return {name: found[name] for name in list(found)[-_MOST_KEPT:]}


def unpushed_by(last: Task | None) -> str:
    """Where commits are that tasks of an issue could not push, in words; empty: there are none."""
    if last is None:
        return ""
    done = last.outcome
    if done and done.kept:
        where = f"{done.clone or 'the clone'} of worker {last.worker} on host {last.host}"
        return (
            f"commits of task {last.spec.id} that could not be pushed ({done.head[:12]}) are on"
            f" {done.kept} in {where}"
        )
    return "" if done and done.pushed else last.spec.unpushed


def foreseen(spec: TaskSpec, github: Branches | None) -> Choice:
    """What its host would choose now, as far as GitHub alone tells: for whoever dispatches it."""
    if github is None or spec.issue is None:
        return Choice(spec.branch)
    try:
        return choose(
            spec, lambda name: Standing(*github.standing(spec.repo, name)), lambda _: False
        )
    except CwError:  # its host looks again, and waits for an answer
        return Choice(spec.branch)


def choose(spec: TaskSpec, look: Callable[[str], Standing], empty: Callable[[str], bool]) -> Choice:
    """The first name that is free, or ours. Pure. `empty`: whether a commit is the base's own
    history, so that the branch has nothing of anybody's. Raises BadInputError when none is.
    """
    told, left, passed = list[str](), False, list[str]()
    if spec.repair:
        return _repaired(spec.repair, look(spec.repair.branch).sha)
    if spec.issue is None:  # named after the task: nobody else's
        return Choice(spec.branch, look(spec.branch).sha)
    for number in range(1, MOST_BRANCHES + 1):
        name = spec.branch_name(number)
        seen = look(name)
        use, said = _use(spec, name, seen, empty)
        told += [said] if said else []
        left = left or use is Use.LEFT
        passed += [name] if use is Use.LEFT and _is_others(seen) else []
        if use is Use.TAKEN:
            if number > 1:
                told.append(f"the work of this task goes to {name}")
            return Choice(name, seen.sha, tuple(told), left, tuple(passed))
    raise BadInputError(
        f"{spec.label} has used up {MOST_BRANCHES} branches", hint="Delete those that nobody needs"
    )


def _repaired(repair: Repair, sha: str) -> Choice:
    """Its pull request is there already."""
    if not sha:
        raise NothingLeftError(f"{repair.branch}, the branch of {repair.url}, is gone")
    if sha != repair.head:
        raise NothingLeftError(f"somebody has moved {repair.branch} on: it stands at {sha[:12]}")
    return Choice(repair.branch, sha)


def _use(
    spec: TaskSpec, name: str, seen: Standing, empty: Callable[[str], bool]
) -> tuple[Use, str]:
    """And what there is to say of it."""
    known = spec.earlier.get(name, "")
    opened = next((pull for pull in seen.pulls if pull.open), None)
    if opened:
        if opened.ours or known:
            return Use.TAKEN, _grown(name, known, seen.sha)
        return _somebodys(spec, name, f"{_who(opened)} has pull request {opened.url} open from it")
    if seen.pulls:
        return _used(spec, name, seen)
    if not seen.sha or empty(seen.sha):
        return Use.TAKEN, ""
    if known:
        more = _grown(name, known, seen.sha)
        return Use.TAKEN, more or f"it goes on from what an earlier task left on {name}"
    said = f"it has commits that no task of this issue left there ({seen.sha[:12]})"
    return _somebodys(spec, name, said)


def _is_others(seen: Standing) -> bool:
    """Not one that was ours and is over."""
    return not seen.pulls or any(pull.open for pull in seen.pulls)


def _used(spec: TaskSpec, name: str, seen: Standing) -> tuple[Use, str]:
    """A merged one is done with. A closed one was turned down, unless a person says otherwise."""
    last = seen.pulls[0]
    if spec.goes_on and seen.sha and not last.merged:
        return (
            Use.TAKEN,
            f"goes on with {name}, whose pull request {last.url} was closed (--continue)",
        )
    what = "merged" if last.merged else "closed without a merge"
    return (
        Use.OVER if last.merged else Use.LEFT,
        f"{name} is used up: its pull request {last.url} was {what}",
    )


def _somebodys(spec: TaskSpec, name: str, said: str) -> tuple[Use, str]:
    if spec.goes_on:
        return Use.TAKEN, f"goes on with {name} (--continue), which is somebody else's: {said}"
    return Use.LEFT, f"{name} is somebody else's and left alone: {said}"


def _grown(name: str, known: str, sha: str) -> str:
    if not known or known == sha or not sha:
        return ""
    return f"{name} stands at {sha[:12]} since an earlier task left it: somebody else was there too"


def _who(pull: Pull) -> str:
    return pull.author or "somebody"
