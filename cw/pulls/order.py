"""The task that mends a pull request, as it is recorded and signed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from cw.fleet_models import Host, Worker
from cw.forges.watched import CheckState, Look
from cw.models import Repair, Task, TaskSpec
from cw.pulls.of_pull import of_pull
from cw.pulls.record import Cause, PullRecord, UnderWay
from cw.pulls.wants import Wants
from cw.states import Mode

_FINDINGS = 8000  # characters


def ordered(record: PullRecord, repair: UnderWay) -> PullRecord:
    """With a repair under way, which counts from now on, whatever becomes of it."""
    rounds = {**record.rounds, repair.task: repair.cause.value}
    return record.model_copy(update={"rounds": rounds, "repair": repair})


def not_ordered(record: PullRecord) -> PullRecord:
    """It could not be recorded: nothing was tried."""
    if record.repair is None:
        return record
    rounds = {one: cause for one, cause in record.rounds.items() if one != record.repair.task}
    return record.model_copy(update={"rounds": rounds, "repair": None})


def adopted(record: PullRecord, repair: Task) -> PullRecord:
    """A broker that forgot the record is told of a repair by its host."""
    wanted = repair.spec.repair
    if wanted is None:
        return record
    under = UnderWay(
        task=repair.spec.id,
        cause=Cause(wanted.cause),
        head=wanted.head,
        at=repair.spec.created_at,
    )
    rounds = {**record.rounds, **wanted.rounds}
    return record.model_copy(update={"repair": under, "rounds": rounds})


def repair_of(
    record: PullRecord,
    under: UnderWay,
    look: Look,
    wants: Wants,
    author: TaskSpec,
    worker: str | None,
) -> TaskSpec:
    """`record`: with the repair that is `under` way. `author`: the task that made the pull request.
    `worker`: that is to do it; None: any.
    """
    what = _of_cause(under.cause, look, wants)
    return author.model_copy(
        update={
            "id": under.task,
            "repo": record.repo,
            "repo_id": record.repo_id,
            "wanted_worker": worker,
            "mode": Mode.FREE if author.issue is not None else Mode.UPDATE,
            "prompt_sha256": "",
            "prompt_bytes": 0,
            "created_at": under.at,
            "goes_on": False,
            "earlier": {**author.earlier, look.branch: look.glance.head},
            "notify": False,
            "unpushed": "",
            "on": "",
            "tag": "",
            "signature": "",
            "repair": Repair(**of_pull(record, look), cause=under.cause.value, **what),
        }
    )


def _of_cause(cause: Cause, look: Look, wants: Wants) -> dict[str, Any]:
    """Of the cause, and of no other one."""
    if cause is Cause.CHECKS:
        red = (one.name for one in look.checks if one.state is CheckState.RED)
        return {"checks": tuple(dict.fromkeys(one for one in red if one not in look.red_on_base))}
    if cause is Cause.REVIEW:
        findings = wants.findings[:_FINDINGS]
        return {"threads": wants.threads, "remarks": wants.ids, "findings": findings}
    return {}


def worker_for(
    record: PullRecord, workers: Collection[Worker], hosts: Mapping[str, Host], now: datetime
) -> str | None:
    """The one that made it, whose HOME has its session, if it takes work; None: any."""
    known = next((one for one in workers if one.id == record.worker), None)
    host = hosts.get(known.host) if known else None
    takes = known is not None and not known.paused and host is not None and host.up(now)
    return record.worker if takes else None
