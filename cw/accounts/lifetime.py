"""How long a credential is good for: a token of `claude setup-token` for a year. It does not tell
its age. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from cw.accounts.holds import Account

SINCE_VARIABLE = "CW_ACCOUNT_SINCE"  # in a worker's .zshenv: the day on which its token was made
_LIFE = timedelta(days=365)
_NEAR_DAYS = 14
_AHEAD = timedelta(days=1)  # by UTC, of somebody whose day has begun


@dataclass(frozen=True, slots=True)
class Lifetime:
    """`given`: a person said when it was made. Else it is only known since when this fleet has it:
    its end is then at the latest.
    """

    ends_on: date
    given: bool

    def near(self, now: datetime) -> bool:
        return self._days(now) <= _NEAR_DAYS

    def words(self, now: datetime) -> str:
        days, at_most = self._days(now), "" if self.given else " at the latest"
        if days < 0:
            return f"the year of its token was over on {self.ends_on}{at_most}"
        when = "today" if not days else "tomorrow" if days == 1 else f"in {days} days"
        return f"the year of its token ends {when}, on {self.ends_on}{at_most}"

    def next(self, workers: Iterable[str]) -> str:
        since = f", with {SINCE_VARIABLE}" if self.given else ""
        where = f"the .zshenv of {' '.join(workers)}"
        return f"claude setup-token makes another one, for {where}{since}"

    def _days(self, now: datetime) -> int:
        return (self.ends_on - now.astimezone(UTC).date()).days


def given_day(env: Mapping[str, str], now: datetime) -> date | None:
    """As a person set it; None: not, or it is no day that there was."""
    try:
        day = date.fromisoformat(env.get(SINCE_VARIABLE, "").strip())
    except ValueError:
        return None
    return day if day <= now.astimezone(UTC).date() + _AHEAD else None


def lifetime(account: Account, given: Iterable[str]) -> Lifetime | None:
    """`given`: the days that its workers' records have, of which the earliest counts, whenever the
    fleet first had it. None: nothing is known, or it is no such token.
    """
    if account.first_seen is None:
        return None
    days = [day for day in map(_day, given) if day]
    since = min(days, default=account.first_seen.astimezone(UTC).date())
    return Lifetime(since + _LIFE, given=bool(days))


def _day(text: str) -> date | None:
    """A record may hold anything."""
    try:
        found = date.fromisoformat(text)
        return found if found <= date.max - _LIFE else None
    except ValueError:
        return None
