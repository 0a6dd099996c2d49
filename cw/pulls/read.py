"""The task that reads a pull request before it is ready for review: as it is recorded and signed,
and what its end makes of the record. Pure.
"""

from __future__ import annotations

from datetime import datetime

from cw.forges.watched import Look
from cw.models import OfPull, Reading, Task, TaskSpec
from cw.pulls.of_pull import of_pull
from cw.pulls.readings import Readings, Stage, Step, without_findings
from cw.pulls.record import Asked, PullRecord
from cw.pulls.repaired import BY_HAND, counted
from cw.reasons import Reason
from cw.states import Mode, OutcomeKind

_WORDS = 300  # characters


def reading_of(
    record: PullRecord, task: str, look: Look, author: TaskSpec, worker: str | None
) -> TaskSpec:
    """`record`: with this reading ordered. `author`: the task that made the pull request. `worker`:
    that is to read it; None: any. Its prompt is yet to be named.
    """
    readings = record.readings or Readings()
    reading = Reading(**of_pull(record, look), issue=record.issue)
    return TaskSpec(
        id=task,
        repo=record.repo,
        repo_id=record.repo_id,
        repo_url=author.called(record.repo).repo_url,
        repo_folder=author.repo_folder,
        github=True,
        title=author.title,
        model=author.model,
        mode=Mode.READ,
        wanted_worker=worker,
        created_at=readings.at or record.moved_at,
        created_by=author.created_by,
        reading=reading,
    ).within(author.ceiling)


def ordered_reading(record: PullRecord, task: str, now: datetime) -> PullRecord:
    """What it says is shown as any opinion that was asked for."""
    readings = (record.readings or Readings()).ordered(task, now)
    asked = Asked(task=task, head=record.head)
    return record.model_copy(update={"readings": readings, "asked": asked})


def adopted_reading(record: PullRecord, task: Task) -> PullRecord:
    """A broker that forgot the record is told of a reading by its host."""
    reading = task.spec.reading
    if reading is None:
        return record
    told = remembered(reading)
    known = record.readings.further(told) if record.readings else told
    return record.model_copy(update={"readings": known})


def remembered(job: OfPull) -> Readings | None:
    """What a repair or a reading knew when it was ordered. None: there are to be none."""
    return Readings(stage=Stage(job.stage), tasks=job.readers) if job.stage else None


def read(record: PullRecord, task: Task) -> PullRecord:
    """`task`: a reading that has ended. What it took is in the record from now on; what it found is
    its author's to see to.
    """
    reading, done, readings = task.spec.reading, task.outcome, record.readings
    if reading is None or done is None or readings is None:
        return record
    update = counted(record, reading, task)
    if done.reason in BY_HAND:
        said = f"its reading was ended: {done.message}"[:_WORDS]
        update["stops"] = {**record.stops, f"task:{task.spec.id}": said}
    if done.kind is not OutcomeKind.SUCCEEDED or not done.report.strip():
        over = done.reason == Reason.REPAIR_OVER
        after = readings.not_ordered() if over else readings.failed(done.message[:_WORDS])
    elif without_findings(done.report):
        after = readings.after(Step.END)
    else:
        after = readings.after(Step.FIND)
    return record.model_copy(update=update | {"readings": after})


def unwanted(record: PullRecord, task: Task) -> bool:
    """A reading that nothing waits for any more."""
    readings = record.readings
    if task.spec.reading is None or readings is None:
        return task.spec.reading is not None
    return readings.stage is not Stage.READS or readings.tasks[-1:] != (task.spec.id,)
