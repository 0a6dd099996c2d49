"""Where a task's first run begins: on which branch, and from where its work counts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cw.models import Start, TaskSpec
from cw.operations.dispatch.branch_choice import Choice, Standing, choose
from workerhost.clones.mirror import HEADS, Mirror
from workerhost.clones.workspace import kept_ref
from workerhost.runs.run_context import Holding

if TYPE_CHECKING:
    from cw.forges.client import Branches

_MOST_OTHERS = 200  # that a record keeps: 8 kB


def begin(held: Holding, spec: TaskSpec, known: Start | None, mirror: Mirror) -> Start:
    """What the record has of it (`known`), else what is so now, and recorded. Raises CwError."""
    if known is None:
        github = held.ctx.github_for(held.home.id) if spec.github else None
        known = _now(spec, github, mirror)
    return held.ctx.store.tasks.begin(spec, held.fence, known)


def _now(spec: TaskSpec, github: Branches | None, mirror: Mirror) -> Start:
    choice = choose(spec, partial(_standing, spec, github, mirror), mirror.part_of_base)
    own = HEADS + choice.branch
    others = list(dict.fromkeys(sha for ref, sha in mirror.refs.items() if ref != own))
    carried, more = _undelivered(spec, choice, mirror)
    return Start(
        branch=choice.branch,
        base=mirror.default,
        base_sha=mirror.base_sha,
        branch_sha=mirror.refs.get(own, ""),
        others=tuple(others[:_MOST_OTHERS]),
        whole=len(others) <= _MOST_OTHERS,
        told=(*choice.told, *more),
        carried=carried,
    )


def _undelivered(spec: TaskSpec, choice: Choice, mirror: Mirror) -> tuple[str, tuple[str, ...]]:
    """What it begins with of commits that earlier tasks could not push, and what there is to say.
    Those that do not fit the branch are in the clone all the same.
    """
    kept = mirror.kept_of(spec.branch_name(1))
    if not kept:
        return "", (spec.unpushed,) if spec.unpushed else ()
    fit = (name for name in (choice.branch, *reversed(choice.passed)) if name in kept)
    begun = next((name for name in fit if mirror.goes_on(kept[name], choice.branch)), "")
    told = [
        f"it begins with commits that an earlier task could not push to {name} ({sha[:12]})"
        if name == begun
        else f"commits that an earlier task could not push to {name} are in the clone on"
        f" {kept_ref(name, sha)}"
        for name, sha in kept.items()
    ]
    return kept.get(begun, ""), tuple(told)


def _standing(spec: TaskSpec, github: Branches | None, mirror: Mirror, name: str) -> Standing:
    sha = mirror.refs.get(HEADS + name, "")
    if github is None or spec.issue is None:
        return Standing(sha)
    return Standing(sha, github.standing(spec.repo, name)[1])
