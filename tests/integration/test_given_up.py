"""A run that is lost once too often comes to rest in the same way, whoever finds out: its host, or
the sweep of another machine when that host fell silent.
"""

from __future__ import annotations

from cw.operations.reconciliation.sweep import sweep
from cw.operations.rest.end import taken_back
from cw.settings import Settings
from cw.states import State
from cw.store.store import Store
from tests.integration.test_store_leases import SHORT, created, granted, record
from tests.waiting import wait_until

SETTINGS = Settings(max_attempts=1, host_name="other")


def given_up(store: Store, **changed: object) -> str:
    """A task whose host fell silent with it for the last time."""
    spec = created(store, **changed)
    granted(store, spec, ttl=SHORT)

    wait_until(lambda: sweep(store, lambda _spec, _line: None, SETTINGS).lost == (spec.id,))
    return spec.id


def written(store: Store) -> list[tuple[str, str]]:
    return [(one.effect.kind, one.effect.text) for one in store.outbox.pending("here")]


def test_issue_is_told_and_blocked(store: Store) -> None:
    task = given_up(store)

    ((comment, said), label) = written(store)
    assert label == ("label", "blocked")
    assert comment == "comment"
    assert "fell silent 1 times" in said
    assert task in said


def test_it_is_said_once(store: Store) -> None:
    given_up(store)
    for _ in range(3):
        sweep(store, lambda _spec, _line: None, SETTINGS)

    assert len(written(store)) == 2


def test_task_that_waits_for_a_person_already_is_left_alone(store: Store) -> None:
    spec = created(store)
    granted(store, spec, ttl=SHORT)
    store.tasks.want_stop(record(store, spec), "ann")

    wait_until(lambda: sweep(store, lambda _spec, _line: None, SETTINGS).parked == (spec.id,))

    assert written(store) == []


def test_nothing_is_written_for_what_is_on_no_issue(store: Store) -> None:
    given_up(store, issue=None)

    assert written(store) == []


def test_issue_is_free_again_when_its_host_comes_back_with_the_run(store: Store) -> None:
    spec = created(store)
    grant = granted(store, spec, ttl=SHORT)
    wait_until(lambda: sweep(store, lambda _spec, _line: None, SETTINGS).lost == (spec.id,))
    was = record(store, spec)
    assert was.state is State.CRASHED

    store.tasks.adopt(spec.id, worker="01", host="here", ttl=600, fence=grant.fence)
    taken_back(store, was, "here")

    assert written(store)[-1] == ("unlabel", "blocked")
