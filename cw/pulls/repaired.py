"""What the end of a repair makes of the record of its pull request. Pure."""

from __future__ import annotations

from cw.models import OfPull, Repair, Task
from cw.pulls.answers import answers
from cw.pulls.readings import Step
from cw.pulls.record import Cause, PullRecord
from cw.reasons import Reason
from cw.states import OutcomeKind

_MOST_TRIED = 10
_MOST_ANSWERED = 200
_WORDS = 300  # characters
# Another try would not be better, or might hide what a person has to see.
_HALTS = frozenset(
    {
        Reason.BLOCKED,
        Reason.TESTS_CHANGED,
        Reason.OVERWRITTEN,
        Reason.FORBIDDEN_PUSH,
        Reason.SECRET_COMMITTED,
        Reason.SECRET_PUSHED,
        Reason.NOT_SEARCHED,
        Reason.TOO_LARGE,
        Reason.NOT_JUDGED,
        Reason.WRONG_BASE,
    }
)
# Ends by people's hands: what they stopped is theirs.
BY_HAND = frozenset(
    {
        Reason.CANCELLED,
        Reason.RESET,
        Reason.STOPPED,
        Reason.ISSUE_CLOSED,
        Reason.ISSUE_BLOCKED,
        Reason.LABEL_REMOVED,
    }
)


def repaired(record: PullRecord, task: Task) -> PullRecord:
    """`task`: one that has ended. What it took, did and said is in the record from now on; whether
    it mended anything the next look tells.
    """
    repair, done = task.spec.repair, task.outcome
    if repair is None or done is None:
        return record.model_copy(update={"repair": None})
    workers = record.with_worker(task.worker)
    update = counted(record, repair, task) | {"repair": None, "workers": workers}
    if task.worker and task.session:
        update |= {"worker": task.worker, "host": task.host or "", "session": task.session}
    tried = f"{repair.cause}: {done.message}"[:_WORDS]
    update["tried"] = (*record.tried, tried)[-_MOST_TRIED:]
    if done.pushed and done.head:
        update |= {"left": done.head, "head": done.head}
    seen_to = done.kind is OutcomeKind.SUCCEEDED or done.reason == Reason.NOTHING_LEFT
    if seen_to and repair.cause == Cause.REVIEW:
        update["answered"] = (*record.answered, *_seen_to(repair, done.report))[-_MOST_ANSWERED:]
    if repair.findings and record.readings:  # they go to their author once
        update["readings"] = record.readings.after(Step.END)
    if done.reason in _HALTS:
        update["halted"] = f"its repair: {done.message}"[:_WORDS]
    if done.reason in BY_HAND:
        said = f"its repair was ended: {done.message}"[:_WORDS]
        update["stops"] = {**record.stops, f"task:{task.spec.id}": said}
    return record.model_copy(update=update)


def _seen_to(repair: Repair, report: str) -> list[str]:
    """All but the remarks of threads to which its report says nothing."""
    said, count = answers(report), len(repair.threads)
    return [
        remark
        for number, remark in enumerate(repair.remarks, 1)
        if number > count or number in said or not said
    ]


def counted(record: PullRecord, job: OfPull, task: Task) -> dict[str, object]:
    """What its pull request took, with what this one has."""
    rough = task.spent_rough or bool(task.outcome and task.outcome.cost_estimated)
    return {
        "cost_usd": max(record.cost_usd, job.spent_usd + task.total_usd),
        "cost_estimated": record.cost_estimated or job.spent_rough or rough,
        "turns": max(record.turns, job.spent_turns + task.total_turns),
        "seconds": max(record.seconds, job.spent_s + task.total_s),
    }
