"""A record as a look has found it: what moved, whose it is, and the verdict. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cw.forges.watched import Look
from cw.pulls.hands import still_released, whose
from cw.pulls.record import PullRecord
from cw.pulls.show import shown
from cw.pulls.verdict import Seen, Verdict, judge
from cw.pulls.wants import NOTHING, Wants


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What the look alone does not tell: `stops` as the record keeps them, what reviewers want,
    which task of ours works on it, what a repair or a reading of it is at.
    """

    stops: Mapping[str, str]
    wants: Wants = NOTHING
    task: str = ""
    repairs: str = ""
    reads: str = ""
    quiet: timedelta = timedelta(seconds=60)


def judged(
    before: PullRecord, look: Look, heard: Heard, now: datetime
) -> tuple[PullRecord, Verdict]:
    released = still_released(look, before.released)
    hands = whose(look, heard.stops, released)
    seen = _seen(before, look, heard, tuple(hands.values()), now)
    verdict, glance = judge(seen), look.glance
    record = before.model_copy(
        update={
            "repo": glance.repo if before.repo_id else before.repo,
            "title": look.title,
            "state": verdict.state,
            "cause": verdict.cause,
            "waits": verdict.waits,
            "head": glance.head,
            "head_at": seen.head_at,
            "moved_at": seen.moved_at,
            "looked_at": now,
            "mark": glance.mark,
            "shown": shown(seen),
            "stops": dict(heard.stops),
            "hands": hands,
            "released": released,
            "comments": look.comment_count,
        }
    )
    return record, verdict


def _seen(
    before: PullRecord, look: Look, heard: Heard, hands: tuple[str, ...], now: datetime
) -> Seen:
    """The first look moves nothing: the record is as old as its task's end."""
    new_head = look.glance.head != before.head
    new_mark = before.looked_at is not None and look.glance.mark != before.mark
    return Seen(
        look=look,
        head_at=now if new_head else before.head_at,
        moved_at=now if new_head or new_mark else before.moved_at,
        now=now,
        hands=hands,
        task=heard.task,
        repairs=heard.repairs,
        reads=heard.reads,
        quiet=heard.quiet,
        halted=before.halted,
        wants=heard.wants,
    )
