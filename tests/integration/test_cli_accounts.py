"""Accounts as people type them and see them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cw.accounts.holds import HoldKind, Window
from cw.accounts.identity import AccountKind, Identity
from cw.fleet_models import Host, Worker
from cw.models import Outcome
from cw.states import Move, OutcomeKind, State
from cw.store.accounts import Refused
from cw.store.lease_values import Grant, Holder, Settlement
from cw.store.store import Store
from tests.integration.test_cli_completion import completed, offers

Cw = Callable[..., "subprocess.CompletedProcess[str]"]
TEAM = Identity("abc1" * 4, AccountKind.SUBSCRIPTION, "team-a")
OWN = Identity("abd2" * 4, AccountKind.KEY, "own-key")
TWIN = Identity("abe3" * 4, AccountKind.KEY, "own-key")


@pytest.fixture(autouse=True)
def fleet(cw_environ: dict[str, str], redis_url: str, store: Store) -> Store:
    """01 and 02 on the team's account, 03 on one of its own, on a host that is up."""
    cw_environ["CW_BROKER_URL"] = redis_url
    for worker, account in (("01", TEAM), ("02", TEAM), ("03", OWN)):
        store.fleet.register_worker(Worker(id=worker, host="there", home=f"/nowhere/{worker}"))
        store.accounts.tell(worker, account)
    store.fleet.beat(Host(name="there", workers=3), store.tasks.now())
    return store


def hold(store: Store, kind: HoldKind = HoldKind.LIMIT, hours: float | None = 3) -> None:
    until = None if hours is None else store.tasks.now() + timedelta(hours=hours)
    store.accounts.hold(TEAM.id, Refused(kind, "T", said="its\x1b[31m words", until=until))


def rows(cw: Cw, *args: str) -> list[dict[str, object]]:
    done = cw("accounts", *args, "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_accounts_are_shown_with_their_workers_and_why_they_wait(cw: Cw, store: Store) -> None:
    hold(store)
    store.accounts.met(
        OWN.id,
        [Window(kind="five_hour", utilization=0.4, resets_at=store.tasks.now() + timedelta(1))],
    )

    shown = cw("accounts").stdout

    assert [(row["name"], row["state"], row["workers"]) for row in rows(cw)] == [
        ("own-key", "open", ["03"]),
        ("team-a", "held", ["01", "02"]),
    ]
    assert "five_hour 40%" in shown
    assert "words" in shown
    assert "\x1b[31m" not in shown
    assert [row["name"] for row in rows(cw, "team-a")] == ["team-a"]
    assert [row["name"] for row in rows(cw, "abc1")] == ["team-a"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("nobody",), "there is no account nobody"),
        (("ab",), "2 accounts are meant by ab"),
        (("--resume",), "which account is not clear"),
    ],
)
def test_account_that_is_not_meant_is_one_line(
    cw: Cw, store: Store, args: tuple[str, ...], said: str
) -> None:
    hold(store, HoldKind.CREDENTIAL, None)

    done = cw("accounts", *args)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert rows(cw, "team-a")[0]["state"] == "held"


def test_two_accounts_of_one_name_are_told_apart_by_their_ids(cw: Cw, store: Store) -> None:
    store.accounts.tell("02", TWIN)

    done = cw("accounts", "own-key")

    assert done.returncode == 2
    assert OWN.id in done.stderr
    assert TWIN.id in done.stderr


@pytest.mark.parametrize("typed_as", [("accounts", "--resume", "team-a"), ("resume", "01")])
def test_who_mended_a_credential_has_it_tried(
    cw: Cw, store: Store, typed_as: tuple[str, ...]
) -> None:
    hold(store, HoldKind.CREDENTIAL, None)
    assert "cw accounts --resume team-a" in cw("status").stdout

    assert cw(*typed_as).returncode == 0

    assert rows(cw, "team-a")[0]["state"] == "trying"


def test_limit_that_somebody_says_is_over_lets_its_tasks_go(
    cw: Cw, store: Store, git_repo: Path
) -> None:
    said = cw("dispatch", "-r", str(git_repo), "-p", "Do it", "-w", "01", "--json")
    task = str(json.loads(said.stdout)["task"])
    grant = store.tasks.acquire(task, worker="01", host="there", ttl=60, session="s")
    assert isinstance(grant, Grant)
    later = store.tasks.now() + timedelta(hours=3)
    outcome = Outcome(
        kind=OutcomeKind.DEFERRED, reason="usage_limit", message="the limit", retry_at=later
    )
    store.tasks.settle(
        Holder(task, "01", grant.fence), Settlement(Move.HOLD, outcome, charged=False)
    )
    hold(store)

    assert cw("accounts", "--resume", "team-a").returncode == 0

    found = store.tasks.get(task)
    assert found
    assert found.state is State.QUEUED


@pytest.mark.parametrize(("worker", "waits"), [("01", True), ("03", False)])
def test_dispatch_says_what_has_to_end_first(
    cw: Cw, store: Store, git_repo: Path, worker: str, waits: bool
) -> None:
    hold(store)

    done = cw("dispatch", "-r", str(git_repo), "-p", "Do it", "-w", worker)

    assert done.returncode == 0, done.stderr
    assert ("account team-a is held until" in done.stdout) is waits
    assert ("starts now" in done.stdout) is not waits


def test_names_of_accounts_are_completed(cw: Cw) -> None:
    assert offers(completed(cw, "cw accounts te")) == ["team-a"]
