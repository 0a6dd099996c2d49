"""What follows from what became of a pull request: for people, and on GitHub. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from cw.fleet_models import Host
from cw.names import BLOCKED_LABEL, worker_label
from cw.notices.notice import Notice
from cw.operations.pulls.comments import not_mended
from cw.operations.rest.notices import line
from cw.pulls.given_back import GAVE_UP, gave_up_before
from cw.pulls.record import Cause, PullRecord
from cw.pulls.states import PullState
from cw.redaction.redact import redactor
from cw.store.outbox import Effect

_OLD = timedelta(hours=1)  # what stood so before anybody looked is no news
_MOST_TOLD = 20
_ID_CHARS = 32
_TITLE, _WHY = 200, 500  # characters


def speaker(hosts: Iterable[Host], here: str, now: datetime) -> str:
    """The host that tells people and GitHub: this one, where one runs, else any that is up."""
    up = sorted(host.name for host in hosts if host.up(now))
    return here if here in up or not up else up[0]


def news(record: PullRecord) -> str:
    """What a person is to be told of it as it is now, as an id: once for each cause and head."""
    if record.state is not PullState.NEEDS_YOU or record.cause is None:
        return ""
    told = f"{record.cause}:{record.head[:12]}"
    return "" if told in record.told else told


def known_long(before: PullRecord, now: datetime) -> bool:
    return before.looked_at is None and now - before.made_at > _OLD


def with_told(record: PullRecord, told: str) -> PullRecord:
    return record.model_copy(update={"told": (*record.told, told)[-_MOST_TOLD:]})


def notice_of(record: PullRecord, told: str, now: datetime) -> Notice:
    """The same news has the same id, whoever tells it and when."""
    clean = redactor()
    cause = "\0".join((*map(str, record.key), told))
    return Notice(
        id=hashlib.sha256(cause.encode()).hexdigest()[:_ID_CHARS],
        at=now,
        task=record.task,
        repository=clean(record.repo),
        issue=record.issue,
        worker=record.worker,
        title=line(clean(record.title), _TITLE),
        what="needs you",
        reason=str(record.cause),
        why=line(clean(f"pull request {record.number}: {record.waits}"), _WHY),
        next="cw prs",
        link=clean(record.url),
    )


def after_merge(record: PullRecord) -> list[Effect]:
    """Its issue carries no worker's label any more, whatever became of the end of its task."""
    if record.issue is None or not record.worker:
        return []
    off = _of_issue(record, record.issue, "unlabel", worker_label(record.worker))
    return [off.model_copy(update={"task": record.task}), *given_back(record)]


def given_back(record: PullRecord) -> list[Effect]:
    """Nobody has to look at its issue any more, where we have said so."""
    if record.issue is None or not gave_up_before(record):
        return []
    return [_of_issue(record, record.issue, "unlabel", BLOCKED_LABEL)]


def gave_up(record: PullRecord, cause: Cause, why: str) -> tuple[PullRecord, list[Effect]]:
    """Once for each cause and head: a comment with what was tried, and its issue is `blocked`."""
    told = f"{GAVE_UP}{cause}:{record.head[:12]}"
    if told in record.told:
        return record, []
    comment = Effect(
        kind="comment",
        repo=record.repo,
        repo_id=record.repo_id,
        issue=record.number,
        worker=record.worker,
        text=not_mended(record, why),
        mark=f"cw:pull:{told}",
    )
    if record.issue is None:
        return with_told(record, told), [comment]
    return with_told(record, told), [
        comment,
        _of_issue(record, record.issue, "label", BLOCKED_LABEL),
    ]


def _of_issue(
    record: PullRecord, issue: int, kind: Literal["label", "unlabel"], label: str
) -> Effect:
    return Effect(
        kind=kind,
        repo=record.repo,
        repo_id=record.repo_id,
        issue=issue,
        worker=record.worker,
        text=label,
    )
