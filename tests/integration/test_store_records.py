"""The other records on a real server: dispatch and its undoing, hints, history, stream, outbox."""

from __future__ import annotations

import threading

import pytest

from cw.errors import BrokerUnavailableError, ClaimedError
from cw.fleet_models import Host, Worker
from cw.models import Event
from cw.states import Move, State
from cw.store import keys
from cw.store.lease_values import Holder, Settlement
from cw.store.notices import Told
from cw.store.outbox import Effect
from cw.store.signed_outbox import Entry
from cw.store.store import Store, open_store
from tests.integration.test_store_leases import created, granted, settle
from tests.making import KEYRING, NOW, make_outcome, make_spec


def all_keys(store: Store) -> set[str]:
    return set(store.connection.client.keys("*"))


def test_prompt_is_kept_byte_for_byte(store: Store) -> None:
    spec = make_spec(issue=None)
    prompt = "  line\r\n\tünï 😀 {{x}} \u2028 \n\n"

    store.tasks.create(spec, prompt)

    assert store.tasks.prompt(spec.id) == prompt
    task = store.tasks.get(spec.id)
    assert task
    assert task.spec.model_copy(update={"signature": ""}) == spec


def test_repeated_create_is_one_dispatch_not_a_conflict(store: Store) -> None:
    """The client asks again when the connection ends before the answer came."""
    spec = created(store)

    store.tasks.create(spec, "the prompt")

    assert store.tasks.waiting(None) == [spec.id]
    with pytest.raises(ClaimedError) as caught:
        store.tasks.create(make_spec(), "p")
    assert caught.value.task_id == spec.id


def test_withdrawn_dispatch_leaves_nothing(store: Store) -> None:
    for spec in (created(store), created(store, issue=None, wanted_worker="01")):
        assert store.tasks.withdraw(spec)

    assert all_keys(store) == set()


@pytest.mark.parametrize("move", [None, Move.EXPIRE, Move.FINISH])
def test_task_that_a_host_had_is_not_withdrawn(store: Store, move: Move | None) -> None:
    spec = created(store)
    fence = granted(store, spec).fence
    if move:
        settle(store, spec, fence, move)

    assert not store.tasks.withdraw(spec)
    assert store.tasks.get(spec.id)


def test_late_hint_does_not_bring_a_withdrawn_task_back(store: Store) -> None:
    spec = created(store)
    store.tasks.withdraw(spec)

    store.tasks.mark_hinted(spec.id, NOW)
    store.tasks.mark_unhinted(spec.id)

    assert all_keys(store) == set()


def test_hint_is_noted_and_taken_back(store: Store) -> None:
    spec = created(store)

    store.tasks.mark_hinted(spec.id, NOW)
    assert [one.hinted_at for one in store.tasks.open_tasks()] == [NOW]
    store.tasks.mark_unhinted(spec.id)
    assert [one.hinted_at for one in store.tasks.open_tasks()] == [None]


def test_history_forgets_the_oldest_with_all_that_belongs_to_them(store: Store) -> None:
    specs = [created(store, issue=number) for number in range(1, 6)]
    for spec in specs:
        fence = granted(store, spec).fence
        store.events.append(spec.id, [Event(at=NOW, kind="text", text="x")])
        settle(store, spec, fence)

    store.tasks.trim(2)

    kept = [one.spec.id for one in store.tasks.done_tasks(9)]
    assert len(kept) == 2
    gone = {spec.id for spec in specs} - set(kept)
    assert not [key for key in all_keys(store) for one in gone if one in key]


def test_stream_keeps_order_and_fields_and_the_newest(store: Store) -> None:
    events = [
        Event(at=NOW, kind="todo", text=f"é {n}", offset=n, data={"n": [n]}) for n in range(3)
    ]

    store.events.append("T", events[:2])
    store.events.append("T", events[2:])

    read, position = store.events.read("T")
    assert read == events
    assert store.events.last("T") == events[-1]
    assert store.events.read("T", position) == ([], position)
    assert store.events.last("other") is None
    assert store.connection.client.ttl(keys.events("T")) > 0


def test_reader_is_woken_by_the_next_event(store: Store, redis_url: str) -> None:
    found: list[Event] = []
    other = open_store(redis_url, store.connection.keyring)
    reader = threading.Thread(target=lambda: found.extend(other.events.read("T", "0", 5000)[0]))
    reader.start()

    store.events.append("T", [Event(at=NOW, kind="text", text="now")])

    reader.join(10)
    other.connection.close()
    assert [one.text for one in found] == ["now"]


def effect(text: str) -> Effect:
    return Effect(kind="comment", repo="acme/app", issue=1, worker="01", text=text, mark=text)


def first(store: Store, host: str) -> Entry[Effect]:
    found = next(iter(store.outbox.pending(host)), None)
    assert found
    return found


def test_outbox_is_a_queue_of_each_host(store: Store) -> None:
    store.outbox.add("a", [effect("1"), effect("2")])
    store.outbox.add("b", [])

    assert first(store, "a") == first(store, "a")
    assert first(store, "a").effect == effect("1")
    store.outbox.done("a", first(store, "a"))
    assert first(store, "a").effect == effect("2")
    assert store.outbox.length("a") == 1
    assert store.outbox.pending("b") == []


def test_effect_of_another_version_does_not_hold_up_the_rest(store: Store) -> None:
    store.connection.client.rpush(keys.outbox("a"), '{"kind":"dance"}', "{", "")
    store.outbox.add("a", [effect("1")])

    assert first(store, "a").effect == effect("1")


def test_effects_of_a_run_arrive_with_its_outcome_or_not_at_all(store: Store) -> None:
    spec = created(store)
    fence = granted(store, spec).fence

    def finish(holder: int) -> bool:
        return store.tasks.settle(
            Holder(spec.id, "01", holder),
            Settlement(Move.FINISH, make_outcome(), Told([effect("1"), effect("2")], "here")),
        )

    assert [finish(fence - 1), finish(fence), finish(fence)] == [False, True, False]
    assert store.outbox.length("here") == 2
    assert first(store, "here").effect == effect("1")


def test_register_keeps_the_task_a_worker_has(store: Store) -> None:
    store.fleet.register_worker(Worker(id="01", host="here", home="/w/01"))
    spec = created(store)
    granted(store, spec)

    store.fleet.register_worker(Worker(id="01", host="there", home="/x/01"))

    (worker,) = store.fleet.workers()
    assert (worker.host, worker.home, worker.task) == ("there", "/x/01", spec.id)
    assert store.fleet.worker("02") is None


def test_host_that_left_is_not_up(store: Store) -> None:
    now = store.tasks.now()
    store.fleet.beat(Host(name="here", pid=7), now)
    (host,) = store.fleet.hosts()
    assert host.up(now)

    store.fleet.leave("here")

    (host,) = store.fleet.hosts()
    assert not host.up(now)
    assert host.pid == 7


def test_server_without_an_answer_is_unavailable_not_a_traceback() -> None:
    away = open_store("unix:///nonexistent/socket?password=hidden", KEYRING)

    for call in (
        away.ping,
        away.tasks.now,
        lambda: away.tasks.renew("T", 1, 1.0),
        lambda: created(away),
    ):
        with pytest.raises(BrokerUnavailableError) as caught:
            call()
        assert "hidden" not in caught.value.line()


def test_states_of_new_tasks_are_queued(store: Store) -> None:
    created(store)

    assert [one.state for one in store.tasks.open_tasks()] == [State.QUEUED]
