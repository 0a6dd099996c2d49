"""Why an account takes nothing, and until when: the kinds of hold, as data, and the rule. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cw.models import MaybeMoment, Model, Moment
from cw.reasons import Reason

ALL_MODELS = "*"


class HoldKind(StrEnum):
    CREDENTIAL = "credential"  # it is refused
    CREDIT = "credit"  # there is none
    LIMIT = "limit"  # a window is used up
    RESERVE = "reserve"  # the rest of a window is kept for the person
    OVERLOAD = "overload"  # the API serves nobody
    FAILURES = "failures"  # its tasks fail alike, whatever they are


@dataclass(frozen=True, slots=True)
class HoldRule:
    """`person`: it lasts until somebody acts, and `next` is what they type of the account `NAME`.
    `words`: what is the matter, where nobody said more.
    """

    words: str
    person: bool = False
    next: str = ""


_TRY = "cw accounts --resume NAME"
_MENDED = f"mend it in its workers' .zshenv; when it was mended elsewhere: {_TRY}"
HOLDS: dict[HoldKind, HoldRule] = {
    HoldKind.CREDENTIAL: HoldRule("its credential is refused", person=True, next=_MENDED),
    HoldKind.CREDIT: HoldRule("it has no credit", person=True, next=_TRY),
    HoldKind.LIMIT: HoldRule("usage limit"),
    HoldKind.RESERVE: HoldRule("the rest of its window is kept for its owner"),
    HoldKind.OVERLOAD: HoldRule("the API does not serve it"),
    HoldKind.FAILURES: HoldRule("its tasks fail for the same reason", person=True, next=_TRY),
}

# What an end of a run says about its account; any other says nothing.
OF_REASON: dict[Reason, HoldKind] = {
    Reason.AUTHENTICATION_FAILED: HoldKind.CREDENTIAL,
    Reason.BILLING_ERROR: HoldKind.CREDIT,
    Reason.USAGE_LIMIT: HoldKind.LIMIT,
    Reason.API_UNAVAILABLE: HoldKind.OVERLOAD,
}

# How long the API is left alone, in multiples of `account.pause`: 1, 2, 5 and 15 minutes.
GROWTH = (1, 2, 5, 15)


class Hold(Model):
    """`until` None: until somebody acts. `canary`: the task that finds out whether it is over."""

    scope: str = ALL_MODELS  # else a part of the names of the models that are held
    kind: HoldKind
    said: str = ""
    since: Moment
    until: MaybeMoment = None
    by: str = ""  # the task whose run met it
    canary: str = ""
    probing: bool = False  # the canary has its lease

    def holds(self, model: str) -> bool:
        return self.scope == ALL_MODELS or self.scope in model

    def due(self, now: datetime) -> bool:
        """Whether a canary may go."""
        return self.until is not None and self.until <= now


class Window(Model):
    """A limit over time, as the API told it last. `utilization`: 1 is all of it."""

    kind: str  # five_hour, seven_day, seven_day_opus …
    utilization: float
    scope: str = ALL_MODELS  # else a part of the names of the models that it limits
    resets_at: MaybeMoment = None


class Account(Model):
    """`not_before`: while those that waited go on one after the other, when the next one may.
    `first_seen`: since when this fleet has the credential, if it is one that ends by itself.
    `warned`: of which end a person was told.
    """

    id: str
    kind: str = ""
    name: str = ""
    windows: tuple[Window, ...] = ()
    holds: tuple[Hold, ...] = ()
    not_before: MaybeMoment = None
    first_seen: MaybeMoment = None
    warned: str = ""

    def closed(self, now: datetime, model: str | None = None) -> str:
        """Why nothing of this model starts on it now, in words; empty when it may. Without a model:
        why nothing at all does.
        """
        for hold in self.holds:
            if hold.holds(model) if model is not None else hold.scope == ALL_MODELS:
                if not hold.due(now):
                    return self.words(hold)
                if hold.probing:
                    return f"account {self.name}: one task tries whether {_what(hold)} is over"
        if self.not_before and self.not_before > now:
            return f"account {self.name} goes on, one task after the other"
        return ""

    def opens_at(self, now: datetime) -> datetime | None:
        """The next moment at which it takes more by itself."""
        moments = (*(hold.until for hold in self.holds), self.not_before)
        return min((one for one in moments if one and one > now), default=None)

    def words(self, hold: Hold) -> str:
        models = "" if hold.scope == ALL_MODELS else f" for {hold.scope}"
        if hold.until is None:
            then = HOLDS[hold.kind].next.replace("NAME", self.name)
            return f"account {self.name} is held{models}: {_what(hold)}; {then}"
        until = f"{hold.until.astimezone():%Y-%m-%d %H:%M}"
        return f"account {self.name} is held{models} until {until}: {_what(hold)}"

    @property
    def used(self) -> float:
        """Of its fullest window; 0: nothing is known."""
        return max((window.utilization for window in self.windows), default=0.0)


def _what(hold: Hold) -> str:
    return hold.said or HOLDS[hold.kind].words


def reserved(windows: Iterable[Window], reserve: float, now: datetime) -> Window | None:
    """The window of which no more than the person's share is left. `reserve`: that share, 0 to 1;
    0: all may be used.
    """
    full = (
        window
        for window in windows
        if reserve
        and window.utilization >= 1 - reserve
        and window.resets_at
        and window.resets_at > now
    )
    return max(full, key=lambda window: window.resets_at or now, default=None)
