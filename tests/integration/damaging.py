"""A fleet at the broker, and ways in which a record of it is damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis

from cw.breakers import Failure, RepositoryHold
from cw.models import Event, TaskSpec
from cw.states import Move, State
from cw.store import keys
from cw.store.outbox import Effect
from cw.store.store import Store, open_store
from tests.integration.test_store_leases import granted, settle
from tests.making import KEYRING, NOW, make_spec

BYTES = b"\xff\xfe\x00\x80"
HUGE = b"x" * (1 << 20)
NEWER = 99
FAILURE = Failure(task="T", repository="acme/other", worker="01")
HOLD = RepositoryHold(
    place="acme/other", name="acme/other", reason="lost", why="its tasks failed", since=NOW
)
EFFECT = Effect(kind="comment", repo="acme/app", issue=1, worker="01", text="said")


@dataclass
class Fleet:
    """Workers 01 and 02 here. `sick` is what is damaged, `well` what must not notice."""

    store: Store
    raw: Any
    sick: dict[State, TaskSpec]
    well: dict[State, TaskSpec]

    def again(self) -> Store:
        """As another process sees it."""
        return open_store(self.store.connection.url, KEYRING)

    def open_well(self) -> set[str]:
        return {self.well[one].id for one in (State.QUEUED, State.RUNNING)}

    def type(self, key: str) -> str:
        return str(self.store.connection.client.type(key))


def tasks_of(store: Store, worker: str, first_issue: int) -> dict[State, TaskSpec]:
    """One finished, one running, one that waits."""
    made = {}
    for number, state in enumerate((State.DONE, State.RUNNING, State.QUEUED)):
        spec = make_spec(issue=first_issue + number, wanted_worker=worker)
        store.tasks.create(spec, f"the prompt of {spec.issue}")
        made[state] = spec
        if state is State.QUEUED:
            continue
        grant = granted(store, spec, worker=worker)
        store.events.append(spec.id, [Event(at=store.tasks.now(), kind="init", text="began")])
        if state is State.DONE:
            settle(store, spec, grant.fence, Move.FINISH, worker=worker)
    return made


def raw_client(url: str) -> Any:
    return redis.Redis.from_url(url)


def records(fleet: Fleet) -> dict[str, str]:
    """Every kind of key, by a name for people: one that `well` does not need."""
    sick = fleet.sick
    return {
        **{f"{state.value} task": keys.task(spec.id) for state, spec in sick.items()},
        "prompt": keys.prompt(sick[State.QUEUED].id),
        "events": keys.events(sick[State.RUNNING].id),
        "claim": keys.claim("acme/app", 12),
        "worker": keys.worker("01"),
        "host": keys.host("elsewhere"),
        "outbox": keys.outbox("elsewhere"),
        "line": keys.waiting("01"),
        "fact": keys.github_fact("known"),
        "page": keys.github_page("page"),
        "budget": keys.GITHUB_BUDGET,
        "counts": keys.COUNTS,
        "costs": keys.COSTS,
        "audit": keys.AUDIT,
        "finished": keys.FINISHED,
        "held repositories": keys.REPOSITORIES,
        "streak": keys.streak("worker", "01"),
    }


LISTS = {
    "open": keys.OPEN,
    "done": keys.DONE,
    "leases": keys.LEASES,
    "holds": keys.HOLDS,
    "workers": keys.WORKERS,
    "hosts": keys.HOSTS,
    "fence": keys.FENCE,
    "finished": keys.FINISHED,
    "held repositories": keys.REPOSITORIES,
}


def other_type(fleet: Fleet, key: str) -> None:
    kind = fleet.type(key)
    fleet.raw.delete(key)
    if kind == "string":
        fleet.raw.rpush(key, "x")
    else:
        fleet.raw.set(key, b"x")


def damage(fleet: Fleet, key: str, value: bytes) -> None:
    """Each part of it becomes this."""
    match fleet.type(key):
        case "string":
            fleet.raw.set(key, value)
        case "hash":
            for field in fleet.raw.hkeys(key):
                fleet.raw.hset(key, field, value)
        case "list":
            fleet.raw.lset(key, 0, value)
        case "stream":
            fleet.raw.xadd(key, {"at": value, "kind": value, "data": value})
        case "zset":
            fleet.raw.zadd(key, {value: 0})


def one_field(field: str, value: bytes | int) -> Callable[[Fleet, str], None]:
    return lambda fleet, key: fleet.raw.hset(key, field, value)


def missing(field: str) -> Callable[[Fleet, str], None]:
    return lambda fleet, key: fleet.raw.hdel(key, field)


DAMAGES: dict[str, Callable[[Fleet, str], None]] = {
    "of another type": other_type,
    "no UTF-8": lambda fleet, key: damage(fleet, key, BYTES),
    "empty": lambda fleet, key: damage(fleet, key, b""),
    "huge": lambda fleet, key: damage(fleet, key, HUGE),
    "no JSON": lambda fleet, key: damage(fleet, key, b'{"a": [}'),
    "deep": lambda fleet, key: damage(fleet, key, b"[" * 100_000),
}
OF_A_TASK: dict[str, Callable[[Fleet, str], None]] = {
    "title": one_field("spec", b'{"title": "\xff"}'),
    "lone surrogate": one_field("spec", b'{"title": "\\udcff"}'),
    "state": one_field("state", b"asleep"),
    "time": one_field("lease_until", b"9" * 400),
    "fence": one_field("fence", b"many"),
    "outcome": one_field("outcome", b'{"kind": 5}'),
    "worker": one_field("worker", BYTES),
    "no spec": missing("spec"),
    "no state": missing("state"),
    "another field": one_field("more", b"x"),
    "newer": one_field("protocol", NEWER),
    "newer, unknown": lambda fleet, key: fleet.raw.hset(
        key, mapping={"protocol": NEWER, "spec": b'{"v": 2}', "state": b"dreaming"}
    ),
}
