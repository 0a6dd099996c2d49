"""What reviewers are told of a repair that saw to what they wanted: once in each thread. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cw.models import Repair, Task
from cw.operations.pulls.comments import answered, reply
from cw.pulls.answers import Answer, AnswerKind, answers
from cw.pulls.record import Cause, PullRecord
from cw.states import OutcomeKind
from cw.store.outbox import Effect

# Of one that forgot to say it to each.
_SEE = Answer(AnswerKind.ANSWERED, "")


def replies(record: PullRecord, task: Task) -> list[Effect]:
    """`task`: a repair that has ended. Threads that it says to have fixed are resolved where it has
    pushed anything; to requests for changes as a whole it answers with its report.
    """
    repair, done = task.spec.repair, task.outcome
    if repair is None or done is None or repair.cause != Cause.REVIEW:
        return []
    if done.kind is not OutcomeKind.SUCCEEDED:
        return []
    head = done.head if done.pushed and done.commits else ""
    found = list(_in_threads(record, repair, task, head))
    asked = len(repair.remarks) > len(repair.threads)  # each thread has one of them
    if asked and done.report:
        text = answered(done.report, head)
        found.append(_effect(record, task, "comment", text, mark=f"cw:repair:{task.spec.id}"))
    return found


def _in_threads(record: PullRecord, repair: Repair, task: Task, head: str) -> Iterator[Effect]:
    said = answers(task.outcome.report if task.outcome else "")
    if head and not said:
        said = dict.fromkeys(range(1, len(repair.threads) + 1), _SEE)
    for number, thread in enumerate(repair.threads, 1):
        if answer := said.get(number):
            mark = f"cw:repair:{task.spec.id}:{number}"
            text = reply(answer, head)
            yield _effect(record, task, "reply", text, mark=mark, thread=thread)
            if head and answer.kind is AnswerKind.FIXED:
                yield _effect(record, task, "resolve", "", thread=thread)


def _effect(
    record: PullRecord,
    task: Task,
    kind: Literal["comment", "reply", "resolve"],
    text: str,
    *,
    mark: str = "",
    thread: str = "",
) -> Effect:
    return Effect(
        kind=kind,
        repo=record.repo,
        repo_id=record.repo_id,
        issue=record.number,
        worker=task.worker or record.worker,
        text=text,
        mark=mark,
        task=task.spec.id,
        thread=thread,
    )
