"""What a run tells of its account, on a real server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cw.accounts.holds import Hold, HoldKind, Window
from cw.reasons import Reason
from cw.states import OutcomeKind
from cw.store.store import Store
from tests.integration.test_store_accounts import TEAM, account
from tests.making import make_outcome
from workerhost.programs.progress import Failure, Progress
from workerhost.runs.account_listener import AccountListener, Terms

TERMS = Terms(pause=60, give_up=3600, spread=20, reserve=10)


@pytest.fixture
def run(store: Store) -> AccountListener:
    store.accounts.tell("01", TEAM)
    return AccountListener(
        store=store,
        account=TEAM.id,
        task="T",
        model="best",
        terms=TERMS,
        moved=lambda: None,
        redact=lambda text: text.replace("hunter2", "***"),
        workers=lambda _: 1,
    )


def holds(store: Store) -> list[Hold]:
    return list(account(store).holds)


def later(hours: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


def test_what_the_api_said_is_kept_without_secrets(run: AccountListener, store: Store) -> None:
    said = "the key hunter2\nis not known"
    run.look(Progress(failure=Failure(reason=Reason.AUTHENTICATION_FAILED, said=said)))

    (hold,) = holds(store)
    assert (hold.kind, hold.said) == (HoldKind.CREDENTIAL, "the key *** is not known")


def test_no_word_of_a_log_holds_an_account_for_longer_than_a_window(
    run: AccountListener, store: Store
) -> None:
    """An agent can write to the log that it is read from."""
    run.look(
        Progress(failure=Failure(reason=Reason.USAGE_LIMIT, said="", until=later(24 * 365 * 1000)))
    )

    (hold,) = holds(store)
    assert hold.until
    assert hold.until < later(9 * 24)


def test_window_that_is_nearly_used_up_is_left_to_its_owner(
    run: AccountListener, store: Store
) -> None:
    full = Window(kind="seven_day_opus", scope="opus", utilization=0.93, resets_at=later(2))
    run.look(Progress(turns=1, windows=(full,)))

    (hold,) = holds(store)
    assert (hold.kind, hold.scope) == (HoldKind.RESERVE, "opus")
    assert "93%" in hold.said
    assert account(store).used == 0.93


def test_what_is_no_matter_of_the_account_holds_nothing(run: AccountListener, store: Store) -> None:
    run.look(Progress(failure=Failure(reason=Reason.MODEL_NOT_FOUND, said="no such model")))

    assert holds(store) == []


def test_hold_of_one_model_holds_the_task_that_met_it_by_whatever_name(
    run: AccountListener, store: Store
) -> None:
    run.look(Progress(failure=Failure(reason=Reason.BILLING_ERROR, said="", scope="fable")))

    (hold,) = holds(store)
    assert hold.scope == "best"


def test_task_goes_on_when_its_account_does(run: AccountListener) -> None:
    run.look(Progress(failure=Failure(reason=Reason.API_UNAVAILABLE, said="529")))
    outcome = make_outcome(OutcomeKind.DEFERRED, reason="api_unavailable", retry_at=later(99))

    timed = run.timed(outcome)

    assert run.held
    assert timed.retry_at == run.held.until
    assert later(0) < (timed.retry_at or later(-1)) < later(1)


def test_one_run_alone_tells_people_what_the_account_waits_for(
    run: AccountListener, store: Store
) -> None:
    refused = Progress(failure=Failure(reason=Reason.BILLING_ERROR, said="no credit"))
    run.look(refused)
    store_of = {"store": store, "account": TEAM.id, "terms": TERMS, "moved": run.moved}
    second = AccountListener(task="U", model="", redact=str, workers=run.workers, **store_of)  # type: ignore[arg-type]
    second.look(refused)

    assert (run.news, second.news) == (True, False)
