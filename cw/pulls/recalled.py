"""What a broker that forgot a pull request is told by the tasks that mended or read it. Pure."""

from __future__ import annotations

from cw.models import Task
from cw.pulls.read import read, remembered
from cw.pulls.record import PullRecord
from cw.pulls.repaired import counted, repaired


def absorbed(record: PullRecord, task: Task) -> PullRecord:
    """`task`: a repair or a reading that has ended."""
    return read(record, task) if task.spec.reading else repaired(record, task)


def recalled(record: PullRecord, task: Task) -> PullRecord:
    """What such a task knew is no less than what is known. Of one that is counted already it
    changes nothing.
    """
    job = task.spec.of_pull
    if job is None:
        return record
    known = record.cost_usd >= job.spent_usd + task.total_usd
    update = {} if known else counted(record, job, task)
    update["rounds"] = {**record.rounds, **job.rounds}
    before = record.model_copy(update={"readings": remembered(job)})
    if (after := absorbed(before, task).readings) is not None:
        update["readings"] = after.further(record.readings)
    return record.model_copy(update=update)
