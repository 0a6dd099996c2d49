"""What a stranger who can write at the broker can do with entries of outboxes: hold them back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from cw.github.client import GitHub
from cw.store import keys
from cw.store.outbox import Effect, OutboxStore
from cw.store.signed_outbox import LIFE_SECONDS
from cw.store.store import Store
from tests.integration.conftest import REPO
from tests.standins.github import GitHubStandIn
from workerhost.github.delivered_writes import Delivered
from workerhost.github.outbox_delivery import Deliverer

LABEL = "worker:01"
HOURS = 3600.0


@dataclass
class Bench:
    """A host's outbox and a stranger at its broker. `at`: epoch seconds on all machines."""

    store: Store
    hub: GitHubStandIn
    issue: int
    folder: Path
    at: float

    def outbox(self) -> OutboxStore:
        return OutboxStore(self.store.connection, lambda: self.at)

    def memory(self) -> Delivered:
        """As a host has it that was started just now."""
        return Delivered(self.folder / "here.txt", lambda: self.at)

    def add(self) -> bytes:
        """One label for the host; returns the entry as anybody can read it."""
        effect = Effect(kind="label", repo=REPO, issue=self.issue, worker="01", text=LABEL)
        self.outbox().add("here", [effect])
        row: bytes = self.store.connection.client.lindex(keys.outbox("here"), -1)
        return row

    def push(self, row: bytes | str, host: str = "here") -> None:
        self.store.connection.client.rpush(keys.outbox(host), row)

    def deliver(self, memory: Delivered, host: str = "here") -> None:
        github = GitHub(self.hub.api_url, "bot-token", pace=0)
        Deliverer(self.outbox(), host, memory, lambda _: github).deliver()
        assert self.store.outbox.length(host) == 0

    def unlabel(self) -> None:
        GitHub(self.hub.api_url, "bot-token", pace=0).remove_label(REPO, self.issue, LABEL)

    def forget(self) -> None:
        """The stranger deletes what the broker remembers."""
        client = self.store.connection.client
        for key in client.scan_iter("cw:nonce:*"):
            client.delete(key)

    @property
    def labels(self) -> list[str]:
        return list(self.hub.issue(REPO, self.issue).labels)

    def count(self) -> int:
        """How often the label was put on."""
        events = self.hub.issue(REPO, self.issue).events
        return sum(one.kind == "labeled" and one.label == LABEL for one in events)


@pytest.fixture
def bench(store: Store, hub: GitHubStandIn, tmp_path: Path) -> Bench:
    issue = hub.add_issue(REPO, "The build fails")
    return Bench(store, hub, issue, tmp_path / "delivered", time.time())


@pytest.mark.parametrize("restarted", [False, True], ids=["same host process", "started again"])
def test_entry_is_carried_out_once_whatever_the_broker_forgets(
    bench: Bench, restarted: bool
) -> None:
    memory, row = bench.memory(), bench.add()
    bench.push(row)
    bench.deliver(memory)
    bench.unlabel()

    for _ in range(3):
        bench.forget()
        bench.push(row)
        bench.deliver(bench.memory() if restarted else memory)

    assert (bench.labels, bench.count()) == ([], 1)


def test_broker_remembers_for_a_host_that_lost_its_disk(bench: Bench) -> None:
    row = bench.add()
    bench.deliver(bench.memory())
    bench.unlabel()
    (bench.folder / "here.txt").unlink()

    bench.push(row)
    bench.deliver(bench.memory())

    assert bench.labels == []


def test_entry_is_good_for_no_other_host(bench: Bench) -> None:
    bench.push(bench.add(), "elsewhere")

    bench.deliver(Delivered(bench.folder / "elsewhere.txt"), "elsewhere")
    assert bench.labels == []

    bench.deliver(bench.memory())
    assert bench.labels == [LABEL]


def test_days_of_outage_are_waited_for_and_nothing_is_taken_after_them(bench: Bench) -> None:
    """Whoever holds an entry back cannot use it for ever; what was done is forgotten only then."""
    began, memory, row = bench.at, bench.memory(), bench.add()
    bench.at = began + LIFE_SECONDS - 1
    bench.deliver(memory)
    assert bench.labels == [LABEL]
    bench.unlabel()

    for later in (LIFE_SECONDS - 1, LIFE_SECONDS + 1, 10 * LIFE_SECONDS):
        bench.at = began + later
        bench.forget()
        bench.push(row)
        bench.deliver(bench.memory())

    assert bench.labels == []


def test_memory_of_what_was_done_does_not_grow_for_ever(bench: Bench) -> None:
    memory, path = bench.memory(), bench.folder / "here.txt"
    for number in range(1500):
        bench.at += 6 * HOURS
        memory.add(f"{number:026}", bench.at + LIFE_SECONDS)

    lines = path.read_text("ascii").splitlines()
    assert len(lines) < 1200
    assert all(bench.memory().knows(f"{number:026}") for number in range(1480, 1500))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_torn_or_odd_lines_are_no_reason_to_forget_the_others(bench: Bench) -> None:
    path = bench.folder / "here.txt"
    bench.memory().add("A" * 26, bench.at + HOURS)
    path.write_bytes(b"\xff\xfe odd\n\n" + path.read_bytes() + b"BBBBBBBBBBBBBBBBBBBBBBBBBB 1")

    bench.memory().add("C" * 26, bench.at + HOURS)

    found = bench.memory()
    assert [found.knows(one * 26) for one in "ABC"] == [True, False, True]


def test_disk_that_takes_nothing_does_not_make_a_write_come_again(bench: Bench) -> None:
    memory, row = bench.memory(), bench.add()
    bench.folder.write_text("in the way", "utf-8")

    bench.deliver(memory)
    bench.unlabel()
    bench.forget()
    bench.push(row)
    bench.deliver(memory)

    assert bench.labels == []


def test_stranger_s_bytes_do_not_hold_up_the_rest(bench: Bench) -> None:
    bench.push(b"\xff\xfe")
    bench.push("")
    bench.add()

    bench.deliver(bench.memory())

    assert bench.labels == [LABEL]
