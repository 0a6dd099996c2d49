"""When a token's year is over, and who says so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from cw.accounts.holds import Account
from cw.accounts.identity import identity
from cw.accounts.lifetime import Lifetime, given_day, lifetime
from cw.fleet_models import Worker
from cw.operations.views.accounts import account_rows
from tests.making import NOW
from workerhost.notices.credential_ends import notice_of

LOGINS = ("ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN")
END = date(2031, 5, 20)


def at(days_before: int) -> datetime:
    return datetime(2031, 5, 20, 23, 59, tzinfo=UTC) - timedelta(days=days_before)


@pytest.mark.parametrize(
    ("days", "near", "words"),
    [
        (15, False, "the year of its token ends in 15 days, on 2031-05-20"),
        (14, True, "the year of its token ends in 14 days, on 2031-05-20"),
        (1, True, "the year of its token ends tomorrow, on 2031-05-20"),
        (0, True, "the year of its token ends today, on 2031-05-20"),
        (-1, True, "the year of its token was over on 2031-05-20"),
    ],
)
def test_end_is_said_from_two_weeks_before(days: int, near: bool, words: str) -> None:
    given, seen = Lifetime(END, given=True), Lifetime(END, given=False)

    assert (given.near(at(days)), given.words(at(days))) == (near, words)
    assert (seen.near(at(days)), seen.words(at(days))) == (near, f"{words} at the latest")


@pytest.mark.parametrize("days", [15, 14, 0, -1])
def test_it_is_shown_with_its_account_and_what_to_do(days: int) -> None:
    known = Account(id="a", name="team", first_seen=at(365))
    workers = [Worker(id=one, account="a") for one in ("02", "01")]

    (row,) = account_rows({"a": known}, workers, at(days), {})

    assert row.ends_on == END
    assert bool(row.ending) is bool(row.renew) is (days < 15)
    assert days == 15 or row.renew.endswith("for the .zshenv of 01 02")


def test_day_that_a_person_gave_wins_and_of_several_the_earliest() -> None:
    known = Account(id="a", name="team", first_seen=NOW)

    found = lifetime(known, ["", "2031-04-01", "2031-02-28", "no day", "9999-12-31"])

    assert found == Lifetime(date(2032, 2, 28), given=True)
    assert lifetime(known, [""]) == Lifetime(date(2032, 5, 5), given=False)


def test_what_does_not_end_by_itself_has_no_end() -> None:
    assert lifetime(Account(id="a", name="team"), ["2031-02-28"]) is None


@pytest.mark.parametrize(
    ("env", "yearly"),
    [
        ({"CLAUDE_CODE_OAUTH_TOKEN": "t"}, True),
        ({"ANTHROPIC_API_KEY": "k", "CLAUDE_CODE_OAUTH_TOKEN": "t"}, False),
        ({"ANTHROPIC_API_KEY": "k"}, False),
        ({}, False),
    ],
)
def test_only_a_token_that_is_used_has_a_year(env: dict[str, str], yearly: bool) -> None:
    assert identity(env, LOGINS, "", "01").yearly is yearly


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2031-05-06", date(2031, 5, 6)),
        (" 2031-05-07 ", date(2031, 5, 7)),  # today, where the day has begun already
        ("2031-05-08", None),
        ("2031-02-30", None),
        ("last spring", None),
        ("", None),
    ],
)
def test_day_is_one_that_there_was(text: str, found: date | None) -> None:
    assert given_day({"CW_ACCOUNT_SINCE": text}, NOW) == found


def test_notice_is_the_same_whoever_tells_it_and_when() -> None:
    known, life = Account(id="a", name="team"), Lifetime(END, given=False)

    first, later = (notice_of(known, life, ["01"], at(days)) for days in (14, 3))

    assert first.id == later.id
    assert (first.what, first.title, first.task) == ("ending", "account team", "")
    assert first.id != notice_of(known, Lifetime(END, given=True), ["01"], at(3)).id
    assert first.id != notice_of(Account(id="b", name="team"), life, ["01"], at(3)).id
