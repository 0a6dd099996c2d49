"""Notices: there with the end of their task, told once to each receiver, in the way of nobody."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cw.fleet_models import Host, Worker
from cw.keyring import make_keyring
from cw.notices.addresses import parse
from cw.notices.notice import Notice
from cw.operations.control.closing import ending
from cw.operations.reconciliation.sweep import sweep
from cw.operations.rest.end import end
from cw.operations.rest.notices import End, notice_of
from cw.services.flower.metrics import Metrics
from cw.settings import Settings
from cw.states import Move, OutcomeKind
from cw.store.connection import Connection
from cw.store.lease_values import Holder, Settlement
from cw.store.notices import NoticeStore, Post, Told
from cw.store.outbox import Effect
from cw.store.store import Store, open_store
from tests.conftest import Cw
from tests.integration.test_store_leases import SHORT, created, granted, record
from tests.making import NOW, give_key, make_outcome, make_spec
from tests.standins.receiver import SECRET, Receiver, nobody, receiving
from tests.waiting import wait_until
from workerhost.github.backoff import Backoff
from workerhost.github.delivered_writes import Delivered
from workerhost.notices.bounded_send import BoundedSend
from workerhost.notices.notice_delivery import Teller

FAILED = make_outcome(OutcomeKind.FAILED, reason="no_changes", message="no commit")
EFFECT = Effect(kind="comment", repo="acme/app", issue=22, worker="01", text="no commit")


def notice(**changed: object) -> Notice:
    found = notice_of(End(make_spec(**changed), "01", 1, FAILED, Move.FINISH), NOW)
    assert found
    return found


def waiting(store: Store, host: str = "here") -> list[Notice]:
    return [one.effect.notice for one in store.notices.pending(host)]


@dataclass
class Desk:
    """A host's own, and what time it is for it."""

    store: Store
    folder: Path
    addresses: list[str]
    at: float = 0.0
    send: BoundedSend = field(default_factory=BoundedSend)

    def __post_init__(self) -> None:
        self.teller = self.another()

    def another(self) -> Teller:
        """The next host process of this machine."""
        return Teller(
            self.store.notices,
            "here",
            Delivered(self.folder / "delivered.txt"),
            {one.name: one for one in map(parse, self.addresses)},
            SECRET,
            Backoff(lambda: self.at),
            self.send,
        )

    def pass_time(self, passes: int, seconds: float = 400) -> None:
        """More than the longest wait between two tries."""
        for _ in range(passes):
            self.teller.deliver()
            self.at += seconds

    def aside(self) -> list[tuple[str, str]]:
        found = self.store.notices.aside("here")
        return [(one.effect.notice.id, one.reason) for one in found]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def desk(store: Store, receiver: Receiver, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path, [receiver.address])


def put(store: Store, *notices: Notice) -> None:
    store.notices.add("here", [Post(notice=one) for one in notices])


def test_it_is_there_with_the_end_of_its_task_and_beside_what_github_is_told(store: Store) -> None:
    spec = created(store)
    grant = granted(store, spec)
    told = Told([EFFECT, EFFECT], "here", notice())

    def settle() -> bool:
        holder = Holder(spec.id, "01", grant.fence)
        return store.tasks.settle(holder, Settlement(Move.FINISH, FAILED, told))

    assert [settle(), settle()] == [True, False]
    assert waiting(store) == [told.notice]
    assert [one.effect for one in store.outbox.pending("here")] == [EFFECT, EFFECT]


def test_end_that_is_refused_tells_nobody(store: Store) -> None:
    spec = created(store)
    grant = granted(store, spec)

    done = store.tasks.settle(
        Holder(spec.id, "01", grant.fence + 1),
        Settlement(Move.FINISH, FAILED, Told([EFFECT], "here", notice())),
    )

    assert (done, waiting(store), store.outbox.length("here")) == (False, [], 0)


def test_task_of_a_silent_host_is_told_by_the_one_that_found_out(store: Store) -> None:
    spec = created(store)
    granted(store, spec, ttl=SHORT)
    settings = Settings(max_attempts=1, host_name="other")

    wait_until(lambda: sweep(store, lambda _spec, _line: None, settings).lost == (spec.id,))

    assert [(one.task, one.what) for one in waiting(store, "other")] == [(spec.id, "crashed")]
    assert waiting(store, "here") == []


@pytest.mark.parametrize("asked", [False, True])
def test_what_a_person_closes_is_told_to_who_asked_for_its_end(store: Store, asked: bool) -> None:
    spec = created(store, notify=asked, wanted_worker="01")
    task = record(store, spec)

    assert end(store, task, ending(task, "cancelled", "ann"), host="here")

    assert [one.what for one in waiting(store)] == ["stopped"] * asked
    assert [one.effect.kind for one in store.outbox.pending("here")] == ["unlabel"]


def test_each_receiver_gets_it_once(store: Store, receiver: Receiver, tmp_path: Path) -> None:
    with receiving() as other:
        desk = Desk(store, tmp_path, [receiver.address, other.address])
        put(store, notice(), notice())
        desk.teller.deliver()
        desk.another().deliver()

    assert (len(receiver.taken), len(other.taken), store.notices.length("here")) == (2, 2, 0)
    assert receiver.unsigned == 0


def test_same_cause_is_told_once_also_by_the_next_process(
    store: Store, receiver: Receiver, desk: Desk
) -> None:
    """A broker that came back as it was yesterday has the task end again."""
    one = notice()
    put(store, one)
    desk.teller.deliver()
    put(store, one.model_copy(update={"why": "in other words"}))

    desk.another().deliver()

    assert (receiver.ids(), store.notices.length("here")) == ([one.id], 0)


def test_receiver_that_fails_for_a_while_gets_all_in_order(
    store: Store, receiver: Receiver, desk: Desk
) -> None:
    receiver.answers = [500, 500]
    first, second = notice(), notice()
    put(store, first, second)

    desk.pass_time(1)
    assert "2 notices wait: webhook:127.0.0.1" in desk.teller.late()
    desk.pass_time(2)

    assert (receiver.ids(), receiver.asked) == ([first.id, second.id], 4)
    assert desk.teller.late() == ""


def test_it_waits_longer_each_time(store: Store, receiver: Receiver, desk: Desk) -> None:
    receiver.answers = [500] * 100
    put(store, notice())

    desk.pass_time(700, 1)  # seconds

    assert 6 <= receiver.asked <= 9


def test_receiver_that_stays_away_is_given_up_and_holds_up_no_other(
    store: Store, receiver: Receiver, tmp_path: Path
) -> None:
    with nobody() as away:
        desk = Desk(store, tmp_path, [away, receiver.address])
        first, second = notice(), notice()
        put(store, first)
        desk.pass_time(19)
        assert (receiver.ids(), desk.aside()) == ([first.id], [])
        desk.pass_time(1)
        assert [one for one, _ in desk.aside()] == [first.id]

        put(store, second)
        desk.pass_time(2)

    assert receiver.ids() == [first.id, second.id]
    assert [one for one, _ in desk.aside()] == [first.id, second.id]  # after one try
    assert "cannot be reached" in desk.aside()[0][1]
    assert store.notices.length("here") == 0


def test_notice_that_is_refused_is_set_aside_at_once_and_the_next_one_told(
    store: Store, receiver: Receiver, desk: Desk
) -> None:
    receiver.answers = [422]
    first, second = notice(), notice()
    put(store, first, second)

    desk.teller.deliver()

    assert (desk.aside(), receiver.ids()) == ([(first.id, "it answered 422")], [second.id])


def test_address_that_cannot_be_used_is_set_aside_with_what_to_do(
    store: Store, receiver: Receiver, tmp_path: Path
) -> None:
    desk = Desk(store, tmp_path, ["pigeon:home", receiver.address])
    one = notice()
    put(store, one)

    desk.teller.deliver()

    assert receiver.ids() == [one.id]
    assert desk.aside()[0][1].endswith("Known: command, webhook")


def test_nobody_to_tell_keeps_nothing(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path, [])
    put(store, notice())

    assert desk.teller.deliver() == 0
    assert (store.notices.length("here"), desk.aside()) == (0, [])


def test_notifier_that_hangs_is_left_and_not_begun_again(store: Store, tmp_path: Path) -> None:
    go_on, begun = threading.Event(), list[str]()

    class Hanging:
        def send(self, notice: Notice) -> None:
            begun.append(notice.id)
            go_on.wait()

    desk = Desk(store, tmp_path, ["pigeon:home"], send=BoundedSend(0.01))
    name = parse("pigeon:home").name
    desk.teller._opened[name] = Hanging()
    put(store, notice())
    desk.pass_time(2)
    assert (len(begun), "hangs" in desk.teller.late()) == (1, True)
    go_on.set()


def test_stranger_at_the_broker_tells_nobody_anything(
    store: Store, receiver: Receiver, desk: Desk
) -> None:
    """Neither with another key, nor by what was for GitHub, nor with what was told before."""
    other = NoticeStore(Connection(store.connection.url, make_keyring(["k" * 40])))
    other.add("here", [Post(notice=notice())])
    put(store, notice())
    with store.connection.errors() as client:
        seen = client.lrange("cw:notices:here", 0, -1)
    store.outbox.add("here", [EFFECT])
    desk.teller.deliver()
    with store.connection.errors() as client:
        client.rpush("cw:notices:here", *seen, *client.lrange("cw:outbox:here", 0, -1))

    desk.teller.deliver()

    assert (len(receiver.taken), store.notices.length("here")) == (1, 0)


@pytest.fixture
def fleet_desk(redis_url: str, receiver: Receiver, tmp_path: Path) -> Desk:
    """Whose key is in a file."""
    key = Path(give_key(tmp_path)).read_text("ascii").strip()
    store = open_store(redis_url, make_keyring([key]))
    store.fleet.beat(Host(name="here"), store.tasks.now())
    return Desk(store, tmp_path, [receiver.address])


@pytest.fixture
def typed(
    cw: Cw, cw_environ: dict[str, str], fleet_desk: Desk, redis_url: str, tmp_path: Path
) -> Cw:
    """`cw` of a machine of this fleet."""
    key = str(tmp_path / "signing.key")
    cw_environ |= {"CW_BROKER_URL": redis_url, "CW_SIGNING_KEY_FILE": key}
    cw_environ |= {"CW_NOTIFY_SECRET": SECRET, "CW_NOTIFY_TO": fleet_desk.addresses[0]}
    fleet_desk.store.fleet.register_worker(Worker(id="01", host="here", home="/nowhere"))
    return cw


def test_person_sees_what_nobody_took_and_has_it_tried_again(
    typed: Cw, fleet_desk: Desk, receiver: Receiver
) -> None:
    one, desk = notice(), fleet_desk
    receiver.answers = [400]
    put(desk.store, one)
    desk.teller.deliver()

    (row,) = json.loads(typed("outbox", "--json").stdout)
    assert (row["kind"], row["repo"], row["issue"]) == ("notice", "acme/app", 22)
    assert json.loads(typed("status", "--json").stdout)["undelivered"] == [row]
    assert "it answered 400" in typed("status").stdout
    assert "it answered 400" in typed("doctor").stdout
    assert typed("outbox", "--retry", row["id"]).returncode == 0
    desk.teller.deliver()

    assert receiver.ids() == [one.id]
    assert typed("outbox").stdout == "Nothing was set aside.\n"


def test_prometheus_counts_what_waits_and_what_nobody_took(
    fleet_desk: Desk, receiver: Receiver
) -> None:
    receiver.answers = [400]
    put(fleet_desk.store, notice())
    fleet_desk.teller.deliver()
    put(fleet_desk.store, notice(), notice())

    lines = Metrics(fleet_desk.store).text().decode().splitlines()

    assert 'cw_notices_waiting{host="here"} 2.0' in lines
    assert 'cw_notices_aside{host="here"} 1.0' in lines
    assert 'cw_outbox_aside{host="here"} 0.0' in lines


def test_try_says_what_came_of_each(
    typed: Cw, cw_environ: dict[str, str], receiver: Receiver
) -> None:
    with nobody() as away:
        cw_environ["CW_NOTIFY_TO"] = f"{receiver.address},{away}"
        done = typed("notify", "test", "--json")

    rows = json.loads(done.stdout)
    assert (done.returncode, [one["sent"] for one in rows]) == (1, [True, False])
    assert [one["what"] for one in receiver.taken] == ["test"]
    assert "cannot be reached" in rows[1]["why"]


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("", "Set CW_NOTIFY_TO"),
        ("pigeon:home", "Known: command, webhook"),
        ("home", "does not fit notify.to"),
    ],
)
def test_address_that_is_none_is_bad_input(
    typed: Cw, cw_environ: dict[str, str], to: str, said: str
) -> None:
    cw_environ["CW_NOTIFY_TO"] = to

    done = typed("notify", "test")

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_doctor_looks_at_the_form_of_addresses(typed: Cw, cw_environ: dict[str, str]) -> None:
    cw_environ["CW_NOTIFY_TO"] += ",webhook:http://example.org/secret-place,pigeon:home"

    said = typed("doctor").stdout

    assert "the address of a webhook cannot be used" in said
    assert "there is no notifier 'pigeon'" in said
    assert "try it: cw notify test" in said
    assert "secret-place" not in said
