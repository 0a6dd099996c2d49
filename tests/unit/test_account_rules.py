"""Whose account a worker is on, and whether it takes anything. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cw.accounts.holds import ALL_MODELS, HOLDS, Account, Hold, HoldKind, Window, reserved
from cw.accounts.identity import AccountKind, identity
from cw.budgets.ceilings import Amount
from cw.budgets.scopes import account_place
from cw.fleet_models import Worker
from cw.operations.views.accounts import account_rows
from cw.operations.views.overview import Fleet, overview
from cw.states import State
from tests.unit.test_overview import NOW, UP, task

LOGINS = ("ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN")
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("env", "api", "kind", "begins"),
    [
        ({"ANTHROPIC_API_KEY": "k"}, "", AccountKind.KEY, "api-"),
        ({"CLAUDE_CODE_OAUTH_TOKEN": "t"}, "", AccountKind.SUBSCRIPTION, "oauth-"),
        ({"ANTHROPIC_API_KEY": "k"}, "https://gate", AccountKind.GATEWAY, "gateway-"),
        ({}, "", AccountKind.NONE, "own-01"),
        ({"ANTHROPIC_API_KEY": "k", "CW_ACCOUNT": " team a\n"}, "", AccountKind.KEY, "teama"),
    ],
)
def test_account_is_known_by_its_credential(
    env: dict[str, str], api: str, kind: AccountKind, begins: str
) -> None:
    found = identity(env, LOGINS, api, "01")

    assert found.kind is kind
    assert found.name.startswith(begins)
    assert found == identity(env, LOGINS, api, "01")
    assert not any(secret in found.id for secret in env.values() if len(secret) > 1)


def test_one_credential_is_one_account_and_another_is_another() -> None:
    one = {"ANTHROPIC_API_KEY": "k"}
    ids = {
        identity(one, LOGINS, "", "01").id,
        identity(one, LOGINS, "", "02").id,
        identity({"ANTHROPIC_API_KEY": "l"}, LOGINS, "", "01").id,
        identity(one, LOGINS, "https://gate", "01").id,
        identity({}, LOGINS, "", "01").id,
        identity({}, LOGINS, "", "02").id,
    }

    assert len(ids) == 5


def held(kind: HoldKind = HoldKind.LIMIT, **changed: Any) -> Account:
    hold = Hold(kind=kind, since=NOW, **({"until": NOW + HOUR} | changed))
    return Account(id="a" * 16, name="team-a", holds=(hold,))


@pytest.mark.parametrize(
    ("account", "model", "words"),
    [
        (Account(id="a", name="n"), "opus", ""),
        (held(), "opus", "team-a is held until"),
        (held(), None, "team-a is held until"),
        (held(scope="opus"), "claude-opus-5", "held for opus until"),
        (held(scope="opus"), "sonnet", ""),
        (held(scope="opus"), None, ""),
        (held(until=NOW), "opus", ""),
        (held(until=NOW, canary="T", probing=True), "opus", "one task tries"),
        (held(until=NOW, canary="T"), "opus", ""),
        (held(HoldKind.CREDENTIAL, until=None), "opus", "cw accounts --resume team-a"),
        (Account(id="a", name="n", not_before=NOW + HOUR), "opus", "one task after the other"),
    ],
)
def test_account_says_why_it_takes_nothing(account: Account, model: str | None, words: str) -> None:
    said = account.closed(NOW, model)

    assert words in said
    assert bool(said) is bool(words)


@pytest.mark.parametrize(
    ("account", "opens"),
    [
        (Account(id="a", name="n"), None),
        (held(), NOW + HOUR),
        (held(scope="opus"), NOW + HOUR),
        (held(until=NOW), None),  # over already
        (held(HoldKind.CREDENTIAL, until=None), None),
        (Account(id="a", name="n", not_before=NOW + HOUR), NOW + HOUR),
        (held().model_copy(update={"not_before": NOW + 2 * HOUR}), NOW + HOUR),
        (held(until=NOW).model_copy(update={"not_before": NOW + 2 * HOUR}), NOW + 2 * HOUR),
    ],
)
def test_account_says_when_time_alone_opens_it(account: Account, opens: datetime | None) -> None:
    assert account.opens_at(NOW) == opens


@pytest.mark.parametrize(
    ("used", "reserve", "full"),
    [(0.89, 0.1, False), (0.9, 0.1, True), (1.3, 0.1, True), (1.0, 0.0, False)],
)
def test_rest_of_a_window_is_kept_for_its_owner(used: float, reserve: float, full: bool) -> None:
    windows = [Window(kind="five_hour", utilization=used, resets_at=NOW + HOUR)]

    assert bool(reserved(windows, reserve, NOW)) is full


def test_window_that_is_over_keeps_nothing() -> None:
    assert reserved([Window(kind="five_hour", utilization=1, resets_at=NOW)], 0.1, NOW) is None


def test_the_window_that_lasts_longest_decides() -> None:
    windows = [
        Window(kind="seven_day", utilization=0.95, resets_at=NOW + 100 * HOUR),
        Window(kind="five_hour", utilization=1.0, resets_at=NOW + HOUR),
    ]

    assert reserved(windows, 0.1, NOW) == windows[0]


def test_what_needs_a_person_says_what_to_type() -> None:
    assert all(bool(rule.next) is rule.person for rule in HOLDS.values())


def fleet(account: Account) -> Fleet:
    on = Worker(id="01", host=UP.name, account=account.id)
    return Fleet(
        hosts=[UP],
        workers=[on],
        accounts={account.id: account},
        tasks=[task(1, State.QUEUED, "01")],
        lines={"01": ["T1"]},
    )


@pytest.mark.parametrize("line", ["01", None])
def test_task_that_waits_for_an_account_says_so(line: str | None) -> None:
    seen = fleet(held())
    waiting = [task(1, State.QUEUED, line)]

    (row,) = overview(replace(seen, tasks=waiting), NOW).waiting

    assert "account team-a is held until" in row.reason


def test_worker_whose_task_waits_for_its_account_is_held_and_not_busy() -> None:
    seen = fleet(held(HoldKind.CREDENTIAL, until=None))
    kept = [one.model_copy(update={"task": "T1"}) for one in seen.workers]
    waiting = [task(1, State.QUEUED, "01"), task(2, State.QUEUED, "01")]

    found = overview(replace(seen, workers=kept, tasks=waiting, lines={"01": ["T1", "T2"]}), NOW)

    assert [row.state for row in found.workers] == ["held"]
    assert ["cw accounts --resume team-a" in row.reason for row in found.waiting] == [True, True]


@pytest.mark.parametrize(
    ("account", "state"),
    [
        (Account(id="a", name="n"), "open"),
        (held(), "held"),
        (held(until=NOW), "trying"),
        (held(scope="opus"), "partly"),
    ],
)
def test_row_of_an_account_says_how_it_is(account: Account, state: str) -> None:
    on = Worker(id="01", host="h", account=account.id)

    today, month = account_place(account.id, NOW), account_place(account.id)
    spent = {today: Amount(usd=1.5), month: Amount(usd=3.5)}
    (row,) = account_rows({account.id: account}, [on], NOW, spent)

    assert (row.state, row.workers) == (state, ["01"])
    assert (row.today_usd, row.month_usd) == (1.5, 3.5)


def test_account_without_workers_is_not_shown() -> None:
    assert account_rows({"a": Account(id="a", name="n")}, [], NOW, {}) == []


def test_scope_of_a_hold_is_a_part_of_a_model_s_name() -> None:
    assert Hold(kind=HoldKind.LIMIT, since=NOW, scope="opus").holds("claude-opus-5")
    assert Hold(kind=HoldKind.LIMIT, since=NOW, scope=ALL_MODELS).holds("anything")
