"""Which of several pull requests is merged when, how, and which is not. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from cw.forges.pulls import MergeMethod
from cw.pulls.record import PullRecord
from cw.pulls.states import PullState


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What one pull request changes. `place`: the repository."""

    place: str
    number: int
    base: str
    files: frozenset[str]


def seen_change(record: PullRecord) -> Change:
    """As its last look tells: of a rename only the new name, and not all of very many files."""
    shown = record.shown
    return Change(
        place=record.key[0],
        number=record.number,
        base=shown.base,
        files=frozenset(shown.paths),
    )


def in_order(changes: Iterable[Change]) -> list[Change]:
    """Those that share the fewest files with others first, of equals the oldest: one that many
    others conflict with does not get in their way.
    """
    found = list(changes)
    return sorted(found, key=lambda one: (_shared(one, found), one.number, one.place))


def sharing(change: Change, others: Iterable[Change]) -> tuple[int, ...]:
    """Numbers of those that change one of its files, on the same base."""
    return tuple(sorted(one.number for one in others if _common(change, one)))


def _shared(change: Change, others: Iterable[Change]) -> int:
    return len(frozenset[str]().union(*(_common(change, one) for one in others)))


def _common(change: Change, other: Change) -> frozenset[str]:
    same_base = (change.place, change.base) == (other.place, other.base)
    if not same_base or change.number == other.number:
        return frozenset()
    return change.files & other.files


def choose_method(
    allowed: Collection[MergeMethod], wanted: MergeMethod | None = None
) -> MergeMethod | None:
    """None: the repository does not allow it."""
    if wanted:
        return wanted if wanted in allowed else None
    return next((method for method in MergeMethod if method in allowed), None)


def refusal(record: PullRecord) -> str:
    """Why it is not merged as it was seen last; empty: it may be."""
    if record.state in {PullState.MERGED, PullState.CLOSED}:
        return f"it is {record.state.value} already"
    if record.state is not PullState.READY:
        return f"{record.state.value}: {record.waits}"
    if record.shown.draft:
        return "a draft: mark it ready for review first"
    return "it waits for a review" if record.shown.review == "wanted" else ""


def same_head(shown: PullRecord, now: PullRecord) -> bool:
    """Nobody has pushed since it was shown."""
    return shown.head == now.head


def settling(record: PullRecord) -> bool:
    """Its forge works out whether it can be merged, as after each merge into its base."""
    return record.state is PullState.CHECKING and not record.shown.conflicts
