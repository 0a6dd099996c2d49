"""Failures in a row on a real server, and repositories that are held."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from cw.breakers import Failure, RepositoryHold, Streaks
from cw.fleet_models import Host, Worker
from cw.models import TaskSpec
from cw.operations.reconciliation.sweep import hint_next, sweep
from cw.settings import Settings
from cw.store import keys
from cw.store.lease_values import Grant, Refusal
from cw.store.store import Store
from tests.integration.damaging import BYTES
from tests.integration.test_store_leases import created
from tests.making import NOW

MOST = 3
PLACE, OTHER = "acme/app", "acme/api"
_ids = count()


def failure(
    worker: str = "01", repository: str = PLACE, task: str = "", account: str = "team"
) -> Failure:
    task = task or f"T{next(_ids)}"
    return Failure(task=task, repository=repository, worker=worker, account=account)


def failed(store: Store, one: Failure, reason: str = "not_pushed") -> Streaks:
    return store.breakers.failed(one, reason, MOST)


def lengths(streaks: Streaks) -> tuple[int, int, int]:
    return len(streaks.repository), len(streaks.worker), len(streaks.account)


def hold(worker: str = "", by: str = "T") -> RepositoryHold:
    said = "its last 3 tasks failed"
    return RepositoryHold(
        place=PLACE, name="Acme/App", worker=worker, reason="lost", why=said, since=NOW, by=by
    )


def take(store: Store, spec: TaskSpec, worker: str = "01") -> Grant | Refusal:
    return store.tasks.acquire(
        spec.id, worker=worker, host="here", ttl=60, session="s", place=spec.key[0]
    )


def test_failures_are_counted_of_all_that_they_have_in_common(store: Store) -> None:
    failed(store, failure("01", PLACE))
    failed(store, failure("01", OTHER))
    failed(store, failure("02", PLACE, account="another"))

    assert lengths(failed(store, failure("01", PLACE))) == (3, 3, 3)
    assert lengths(failed(store, failure("01", PLACE, account=""))) == (3, 3, 0)


def test_task_counts_once_however_often_its_host_says_so(store: Store) -> None:
    for _ in range(5):
        seen = failed(store, failure(task="the same"))

    assert lengths(seen) == (1, 1, 1)


def test_success_ends_what_it_has_in_common(store: Store) -> None:
    failed(store, failure("01", PLACE))
    failed(store, failure("01", OTHER))

    store.breakers.succeeded(failure("02", PLACE, account="another"))

    assert lengths(failed(store, failure("01", PLACE))) == (1, 3, 3)


def test_another_reason_begins_anew(store: Store) -> None:
    failed(store, failure(), "no_changes")
    failed(store, failure(), "no_changes")

    assert lengths(failed(store, failure())) == (1, 1, 1)
    assert lengths(failed(store, failure(), "no_changes")) == (1, 1, 1)


def test_no_more_is_kept_than_decides(store: Store) -> None:
    for worker in ("01", "02", "03", "04"):
        seen = failed(store, failure(worker))

    assert [one.worker for one in seen.repository] == ["02", "03", "04"]


def test_streaks_are_forgotten_after_a_month(store: Store) -> None:
    failed(store, failure())

    days = store.connection.client.ttl(keys.streak("worker", "01")) / 86400
    assert 29 < days <= 30


def test_what_somebody_mended_begins_anew_with_all_that_had_a_part_in_it(store: Store) -> None:
    failed(store, failure("01"))
    failed(store, failure("02"))

    store.breakers.resume(PLACE)

    assert lengths(failed(store, failure("01"))) == (1, 1, 1)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"[" * 100_000, BYTES, b'{"reason": "not_pushed", "failures": [1, {}]}'],
)
def test_damaged_streak_keeps_nothing_from_being_counted(store: Store, damage: bytes) -> None:
    store.connection.client.set(keys.streak("worker", "01"), damage)

    seen = [failed(store, failure()) for _ in range(MOST)]
    store.breakers.forgive("worker", "01")

    assert lengths(seen[-1]) == (3, 3, 3)


def test_streak_of_another_type_is_put_aside(store: Store) -> None:
    key = keys.streak("repository", PLACE)
    store.connection.client.rpush(key, "x")

    store.breakers.forgive("repository", PLACE)
    assert lengths(failed(store, failure())) == (1, 1, 1)


@pytest.mark.parametrize(
    ("on", "free"), [("", []), ("01", ["02"])], ids=["everywhere", "on a worker"]
)
def test_nothing_starts_of_what_is_held(store: Store, on: str, free: list[str]) -> None:
    spec, other = created(store), created(store, repo=OTHER, issue=23)
    store.breakers.hold(hold(on))

    taken = [worker for worker in ("01", "02") if isinstance(take(store, spec, worker), Grant)]

    assert taken == free
    assert isinstance(take(store, other, "03"), Grant)


def test_hold_is_known_by_the_repository_s_id_whatever_it_is_called(store: Store) -> None:
    spec = created(store, repo="acme/renamed", repo_id=7)
    store.breakers.hold(hold().model_copy(update={"place": "@7"}))

    assert take(store, spec) == Refusal("repository held")
    assert store.breakers.resume("@7") == 1
    assert isinstance(take(store, spec), Grant)


def test_hints_pass_over_what_is_held(store: Store) -> None:
    store.fleet.register_worker(Worker(id="01", host="here", home="/h"))
    store.fleet.beat(Host(name="here", workers=1), store.tasks.now())
    now = store.tasks.now()
    held, waits = (
        created(store, repo=repo, issue=issue, created_at=now)
        for repo, issue in ((PLACE, 22), (OTHER, 23))
    )
    store.breakers.hold(hold())
    hinted: list[str] = []

    sweep(store, lambda spec, _: hinted.append(spec.id), Settings(sweep_every=0))

    assert hinted == [waits.id]
    store.breakers.resume(PLACE)
    assert store.tasks.withdraw(waits)  # whichever of both is the first in line
    assert hint_next(store, lambda spec, _: hinted.append(spec.id), "01") == held.id


def test_hold_is_news_once_and_again_for_a_host_that_was_killed_before_it_told(
    store: Store,
) -> None:
    said = [store.breakers.hold(hold(by=task)) for task in ("T1", "T1", "T2")]

    assert said == [True, True, False]
    (kept,) = store.breakers.holds()
    assert (kept.by, kept.name, kept.since > NOW) == ("T1", "Acme/App", False)


def test_many_that_fail_at_once_are_told_of_once(store: Store) -> None:
    """Whichever comes last sees all of them, and one of those that see enough is the first."""

    def fail(number: int) -> tuple[bool, bool]:
        one = failure(f"{number:02}", task=f"R{number}")
        enough = len(failed(store, one).repository) >= MOST
        return enough, enough and store.breakers.hold(hold(by=one.task))

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(fail, range(8)))

    assert sum(enough for enough, _ in said) == 8 - MOST + 1
    assert sum(news for _, news in said) == 1


def test_hold_and_lease_at_once_are_one_after_the_other(store: Store) -> None:
    """Whoever has the lease had it before; nobody gets one after the hold is there."""
    specs = [created(store, issue=100 + at) for at in range(12)]

    def start(at: int) -> bool:
        if at == 6:
            store.breakers.hold(hold())
        return isinstance(take(store, specs[at], f"{at:02}"), Grant)

    with ThreadPoolExecutor(6) as pool:
        began = list(pool.map(start, range(12)))

    assert not began[6]
    assert not isinstance(take(store, specs[began.index(False)], "99"), Grant)


@pytest.mark.parametrize("damage", [b"", b"{", b"7", b"null", BYTES, b"[" * 100_000])
def test_hold_that_cannot_be_read_holds_nothing_and_is_named(store: Store, damage: bytes) -> None:
    client = store.connection.client
    client.hset(keys.REPOSITORIES, keys.repository_hold(PLACE, ""), damage)

    assert store.breakers.holds() == []
    assert isinstance(take(store, created(store)), Grant)
    assert store.connection.unreadable.why(keys.REPOSITORIES)
    assert store.breakers.hold(hold())
    assert [one.place for one in store.breakers.holds()] == [PLACE]
    assert not store.connection.unreadable.why(keys.REPOSITORIES)
