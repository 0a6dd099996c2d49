"""A person gives a pull request back that they had taken, or that was given up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cw.errors import BadInputError, CwError
from cw.names import same_repo
from cw.operations.pulls.telling import given_back, speaker
from cw.pulls.given_back import released, tried_again, was_given_up
from cw.pulls.states import PullMove, PullState
from cw.store.notices import Told

if TYPE_CHECKING:
    from cw.pulls.record import PullRecord
    from cw.store.store import Store

_PULL = re.compile(
    r"(?:https?://[^\s/]+/)?(?:(?P<repo>[A-Za-z0-9-]+/[A-Za-z0-9._-]+))?"
    r"(?:/pull/|#)?(?P<number>[1-9][0-9]{0,9})(?:/[a-z]*)?"
)
_TRIES = 3  # while a pass looks at it


def find(store: Store, typed: str) -> PullRecord:
    """By its number where it is the only one, `owner/repo#n`, or its URL. Raises BadInputError."""
    said = _PULL.fullmatch(typed)
    if not said:
        raise BadInputError(f"{typed!r} is no pull request", hint="For example: acme/app#12")
    number, repo = int(said["number"]), said["repo"] or ""
    found = _called(store.pulls.open(), number, repo) or _called(store.pulls.ended(), number, repo)
    if not found:
        raise BadInputError(f"no pull request of a task is {typed}", hint="See: cw prs --all")
    if len(found) > 1:
        names = ", ".join(sorted(record.name for record in found))
        raise BadInputError(f"{typed} may be each of {names}", hint="Give one of these")
    return found[0]


def _called(records: list[PullRecord], number: int, repo: str) -> list[PullRecord]:
    return [
        record
        for record in records
        if record.number == number and (not repo or same_repo(record.repo, repo))
    ]


def give_back(store: Store, typed: str) -> PullRecord:
    """What meant hands off counts no more, what is said from now on does; what was given up is
    mended again. Raises BadInputError.
    """
    for _ in range(_TRIES):
        record = find(store, typed)
        if record.state is PullState.HANDS_OFF:
            given = released(record)
        elif was_given_up(record):
            given = tried_again(record)
        else:
            raise BadInputError(_nothing_to_give(record), hint="See: cw prs")
        now = store.tasks.now()
        told = Told(given_back(record), speaker(store.fleet.hosts(), "", now))
        if store.pulls.move(given, PullMove.RESUME, now, told):
            return given
    raise CwError(f"{record.name} is being looked at", hint="Try again")


def _nothing_to_give(record: PullRecord) -> str:
    if record.state is PullState.NEEDS_YOU:
        return f"{record.name} was not given up, it needs you: {record.waits}"
    return f"nobody has taken {record.name}: it is {record.state.value}"
