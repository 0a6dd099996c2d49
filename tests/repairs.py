"""Repairs of pull requests, as tests make them: whole, and recorded as the pass does."""

from __future__ import annotations

from typing import Any

from cw.models import Repair, Task, TaskSpec
from cw.pulls.record import Cause
from cw.store.store import Store
from tests.making import make_id, make_spec

URL = "https://github.com/acme/app/pull/31"


def make_repair(cause: Cause = Cause.CHECKS, **changed: Any) -> Repair:
    whole: dict[str, Any] = {
        "number": 31,
        "url": URL,
        "branch": "issue-22",
        "base": "main",
        "head": "a" * 40,
        "cause": cause.value,
        "checks": ("CI / test",) if cause is Cause.CHECKS else (),
        "threads": ("T1", "T2") if cause is Cause.REVIEW else (),
        "author": make_id(),
        "worker": "01",
    }
    return Repair(**(whole | changed))


def make_repair_spec(cause: Cause = Cause.CHECKS, **changed: Any) -> TaskSpec:
    return make_spec(repair=make_repair(cause, **changed))


def repair_of(author: Task, cause: Cause, *, worker: str | None = None, **changed: Any) -> TaskSpec:
    """Of the pull request that `author` ended with, as it left that; on its own worker."""
    done = author.outcome
    assert done
    assert done.pr
    repair = make_repair(
        cause,
        number=int(done.pr.rpartition("/")[2]),
        url=done.pr,
        branch=done.branch,
        head=done.head,
        author=author.spec.id,
        worker=author.worker or "",
        session=author.session,
        **changed,
    )
    update = {
        "id": make_id(),
        "wanted_worker": worker or author.worker,
        "repair": repair,
        "prompt_sha256": "",
        "prompt_bytes": 0,
        "created_at": author.ended_at,
    }
    return author.spec.model_copy(update=update)


def record_repair(store: Store, spec: TaskSpec) -> TaskSpec:
    """Claimed, recorded and signed; the sweep hints at it."""
    store.tasks.create(spec, "")
    return spec
