"""Budgets as people write them, and who shares which."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cw.budgets.ceilings import NONE, Amount, ceiling, labelled, parse
from cw.budgets.scopes import Level, Payers, met, month, places, scopes

NOW = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
PAYERS = Payers("01", "abc", "team-a")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("", NONE),
        ("5usd", Amount(usd=5.0)),
        ("0.5USD 200turns", Amount(0.5, 200)),
        ("90min,1turns", Amount(0, 1, 5400.0)),
    ],
)
def test_ceiling_is_read_as_it_is_written(text: str, amount: Amount) -> None:
    assert parse(text) == amount


@pytest.mark.parametrize(
    "text", ["5", "$5", "5 usd", "-5usd", "0usd", "5usd 6usd", "2.5turns", "5eur", "1e9usd", "usd"]
)
def test_what_is_no_ceiling_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^.+$"):
        parse(text)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_ceiling_that_is_written_down_is_read_again(cents: int, turns: int, minutes: int) -> None:
    amount = Amount(cents / 100, turns, minutes * 60.0)

    assert parse(ceiling(amount.text())) == amount


def test_of_several_labels_the_lowest_counts() -> None:
    labels = ["bug", "budget:5usd", "Budget:3usd 10turns"]

    assert labelled(labels) == Amount(3.0, 10)
    assert labelled(["bug", "budgets"]) == NONE
    with pytest.raises(ValueError, match="budget:lots"):
        labelled(["budget:2usd", "budget:lots"])
    with pytest.raises(ValueError, match=r"^budget:$"):
        labelled(["budget:"])


def test_label_gives_less_than_the_settings_but_not_more() -> None:
    settings = Amount(usd=25.0, turns=0)

    assert labelled(["budget:5usd"]).up_to(settings) == Amount(usd=5.0)
    assert labelled(["budget:100usd 9turns"]).up_to(settings) == Amount(25.0, 9)
    assert NONE.up_to(settings) == NONE


def test_day_and_month_are_those_of_utc() -> None:
    assert month(NOW) == "2026-12"
    assert places(PAYERS, NOW) == (
        "31:worker:01",
        "31:account:abc",
        "account:abc",
        "31:fleet",
        "fleet",
    )
    assert places(Payers("01", ""), NOW) == ("31:worker:01", "31:fleet", "fleet")


def test_ceilings_begin_anew_with_the_day_and_with_the_month() -> None:
    found = scopes(dict.fromkeys(Level, Amount(usd=1.0)), PAYERS, NOW)

    assert [scope.setting for scope in found] == [f"budget.{level}" for level in Level]
    assert {scope.until for scope in found} == {datetime(2027, 1, 1, tzinfo=UTC)}
    assert scopes({Level.WORKER_DAY: NONE}, PAYERS, NOW) == ()
    assert scopes({Level.ACCOUNT_DAY: Amount(usd=1.0)}, Payers("01", ""), NOW) == ()


@pytest.mark.parametrize(
    ("places_met", "own", "closed"),
    [
        ({"31:worker:01": Amount(usd=1.0)}, Amount(usd=1.0), True),
        ({"31:worker:01": Amount(usd=1.0)}, Amount(usd=2.0), False),  # raised since
        ({"31:worker:01": Amount(usd=1.0)}, NONE, False),  # taken away since
        ({"31:worker:02": Amount(usd=1.0)}, Amount(usd=1.0), False),
        ({"30:worker:01": Amount(usd=1.0)}, Amount(usd=1.0), False),
    ],
)
def test_ceiling_that_was_met_closes_until_it_is_raised(
    places_met: dict[str, Amount], own: Amount, closed: bool
) -> None:
    found = met(places_met, PAYERS, NOW, {Level.WORKER_DAY: own})

    assert (found is not None) is closed


def test_whoever_knows_no_ceiling_goes_by_the_one_that_was_met() -> None:
    found = met({"fleet": Amount(usd=1.0)}, PAYERS, NOW)

    assert found
    assert found.used_up.startswith("the fleet's budget for this month (1usd) is used up until")
    assert "budget.fleet_month is raised" in found.used_up
