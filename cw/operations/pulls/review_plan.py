"""What there is to review, in the order in which merging conflicts least; and one of it, as it is
now.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cw.operations.pulls.beginning import begin_new
from cw.operations.pulls.giving_back import find
from cw.operations.pulls.merge_plan import methods_of
from cw.operations.views.pulls import pull_rows
from cw.operations.views.reviews import Act, ReviewRow, Sheet, Tasks, review_row, sheet
from cw.pulls.merging import in_order, same_head, seen_change
from cw.pulls.record import Cause, PullRecord
from cw.pulls.states import PullState

if TYPE_CHECKING:
    from cw.forges.pulls import MergeMethod
    from cw.operations.pulls.merge import Merger

_TRIES = 3
# Nothing mends these but a person's look.
_LOOK = frozenset({Cause.LOOK, Cause.ANSWERED, Cause.UNREAD})


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """`record`: as it was shown."""

    record: PullRecord
    method: MergeMethod


def entries(
    merger: Merger, typed: Collection[str], wanted: MergeMethod | None = None
) -> tuple[list[Entry], list[ReviewRow]]:
    """Those that were named, else all that a person has to read; and what cannot be reviewed.
    Raises BadInputError, GitHubUnavailableError.
    """
    store = merger.ways.store
    begin_new(store, store.tasks.now())
    found = [find(store, text) for text in typed] if typed else _to_read(store.pulls.open())
    named = {record.key: record for record in found}
    seen = merger.look(named) if named else {}
    fit, left = dict[tuple[str, int], PullRecord](), []
    for key, before in named.items():
        record = seen[key]
        if isinstance(record, str):
            left.append(review_row(before, Act.SKIP).left(record))
        elif why := _unfit(record, named=bool(typed)):
            row = review_row(record, Act.SKIP).left(why)
            left.append(row if record.open else row.model_copy(update={"next": ""}))
        else:
            fit[key] = record
    methods = methods_of(merger.ways.github, {record.repo for record in fit.values()}, wanted)
    planned = []
    for one in in_order(map(seen_change, fit.values())):
        record = fit[one.place, one.number]
        planned.append(Entry(record=record, method=methods[record.repo]))
    return planned, left


def _to_read(records: Collection[PullRecord]) -> list[PullRecord]:
    return [record for record in records if _wants_reader(record)]


def _wants_reader(record: PullRecord) -> bool:
    return record.state is PullState.READY or record.cause in _LOOK


def _unfit(record: PullRecord, *, named: bool) -> str:
    """Who names one may want to read it whatever its state, as long as it is open."""
    if not record.open:
        return f"it is {record.state.value} already"
    if named or _wants_reader(record):
        return ""
    return f"{record.state.value}: {record.waits}"


def read(merger: Merger, entry: Entry) -> tuple[Entry, Sheet] | str:
    """All of it, of one head; or why it cannot be reviewed. Raises CwError."""
    github, store = merger.ways.github, merger.ways.store
    for _ in range(_TRIES):
        before = entry.record
        diff = github.diff(before.repo, before.number)
        found = merger.look([before.key])[before.key]
        if isinstance(found, str):
            return found
        if why := _unfit(found, named=True):
            return why
        entry = replace(entry, record=found)
        if same_head(before, found):  # so the diff is this head's
            reads = store.tasks.get(found.asked.task) if found.asked else None
            tasks = Tasks(made=store.tasks.get(found.task), reads=reads)
            (row,) = pull_rows([found], store.pulls.open())
            return entry, sheet(found, row, tasks, diff, entry.method)
    return "its head moves all the time"
