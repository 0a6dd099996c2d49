"""What the checks of a head say together. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cw.forges.watched import Check, CheckState, Unread

TOO_LONG = timedelta(hours=1)  # a check that is pending for so long does not run
NONE_AFTER = timedelta(minutes=5)  # of the push; then the repository has no checks
_NAMED = 3
_HIDDEN = "some that this token cannot read"
_NOT = "not readable with this token"
_UNREAD = {  # why a person has to look at them, and their phrase
    None: (f"checks: {_NOT}", _NOT),
    CheckState.RED: (f"a check is red that is {_NOT}", f"red: {_NOT} which"),
    CheckState.PENDING: (
        f"a check is pending for over an hour that is {_NOT}",
        f"pending for over an hour: {_NOT} which",
    ),
    CheckState.GREEN: ("", "all green"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Hidden:
    """What is known of checks that the token may not read. `why`: a person has to look at them, in
    words; empty: nobody has to. `words`: their part of a phrase.
    """

    awaited: bool = False
    why: str = ""
    words: str = ""


NONE_HIDDEN = Hidden()


def judge_hidden(unread: Unread | None, moved_at: datetime, now: datetime) -> Hidden:
    """`moved_at`: since when they may come to what they do."""
    if unread is None:
        return NONE_HIDDEN
    if unread.state is CheckState.PENDING and now - moved_at < TOO_LONG:
        return Hidden(awaited=True)
    why, words = _UNREAD[unread.state]
    return Hidden(why=why, words=words)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checks:
    """Each by name, those that are required first."""

    red: tuple[str, ...] = ()  # and not so on the base
    red_on_base: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()  # pending for too long
    stuck_required: tuple[str, ...] = ()
    green: int = 0
    awaited: bool = False  # there are none, and some may come yet
    hidden: Hidden = NONE_HIDDEN

    @property
    def words(self) -> str:
        parts = [
            _counted(self.red, "red"),
            _counted(self.red_on_base, "red on the base too"),
            _counted(self.asks, "waiting to be let run"),
            _counted(self.pending, "pending"),
            _counted(self.stuck, "pending for over an hour"),
            f"{self.green} green" if self.green else "",
            self.hidden.words,
        ]
        return ", ".join(filter(None, parts)) or ("awaited" if self.awaited else "none")


def judge_checks(
    checks: Iterable[Check],
    red_on_base: Collection[str],
    head_at: datetime,
    now: datetime,
    hidden: Hidden = NONE_HIDDEN,
) -> Checks:
    """`head_at`: when the head was seen first; nobody says when it was pushed."""
    ordered = sorted(checks, key=lambda check: (not check.required, check.name))
    red = [check.name for check in ordered if check.state is CheckState.RED]
    pending = [check for check in ordered if check.state is CheckState.PENDING]
    stuck = [check for check in pending if now - (check.since or head_at) >= TOO_LONG]
    return Checks(
        red=_names(name for name in red if name not in red_on_base),
        red_on_base=_names(name for name in red if name in red_on_base),
        asks=_names(check.name for check in ordered if check.state is CheckState.ASKS),
        pending=(
            *_names(check.name for check in pending if check not in stuck),
            *([_HIDDEN] if hidden.awaited else []),
        ),
        stuck=_names(check.name for check in stuck),
        stuck_required=_names(check.name for check in stuck if check.required),
        green=sum(check.state is CheckState.GREEN for check in ordered),
        awaited=not ordered and hidden is NONE_HIDDEN and now - head_at < NONE_AFTER,
        hidden=hidden,
    )


def listed(names: Collection[str]) -> str:
    """A few of them, for people."""
    shown = list(names)[:_NAMED]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))


def _counted(names: Collection[str], word: str) -> str:
    return f"{len(names)} {word}" if names else ""
