"""What each user of deploy/redis/users.acl may say to the broker, command by command."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import redis

from cw.services.acl import USERS, users_acl
from cw.store import keys
from cw.store.connection import checked
from cw.store.store import open_store
from tests.making import KEYRING

# No key stands in them, so no pattern of keys holds them back.
FORBIDDEN = (
    "SCAN 0",
    "RANDOMKEY",
    "DBSIZE",
    "KEYS *",
    "PUBSUB CHANNELS",
    "PUBSUB NUMPAT",
    "CLIENT LIST",
    "CLIENT TRACKING ON BCAST",
    "SELECT 1",
    "SELECT 0",
    "MOVE cw:open 1",
    "COPY cw:open cw:other DB 1",
    "SWAPDB 0 1",
    "FLUSHALL",
    "FLUSHDB",
    "SCRIPT FLUSH",
    "SCRIPT KILL",
    "FUNCTION FLUSH",
    "FUNCTION LIST",
    "FUNCTION LOAD x",
    "FUNCTION DELETE x",
    "FUNCTION RESTORE x",
    "FCALL x 0",
    "FCALL_RO x 0",
)
NEEDED = (
    "PING",
    "TIME",
    "INFO",
    "HELLO 3",
    "CLIENT SETNAME x",
    "MULTI",
    "EVALSHA x 1 cw:open",
    "SCRIPT LOAD x",
    "SCRIPT EXISTS x",
    "SMEMBERS cw:open",
    "PSUBSCRIBE /0.celeryev/*",
)


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """A server that has the users, with their passwords as they stand in the template."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as found:
        for line in users_acl().splitlines():
            _, name, *rules = line.split()
            if name in USERS:
                found.execute_command("ACL", "SETUSER", name, *rules)
        yield found
        found.execute_command("ACL", "DELUSER", *USERS)


def may(client: redis.Redis, user: str, command: str) -> bool:
    said: Any = client.acl_dryrun(user, *command.split())
    return bool(said == "OK")


@pytest.mark.parametrize("user", USERS)
def test_nobody_lists_flushes_or_leaves_the_database(client: redis.Redis, user: str) -> None:
    assert [one for one in FORBIDDEN if may(client, user, one)] == []


@pytest.mark.parametrize("user", USERS)
def test_everybody_may_say_what_clients_say(client: redis.Redis, user: str) -> None:
    assert [one for one in NEEDED if not may(client, user, one)] == []


@pytest.mark.parametrize("user", USERS)
def test_everybody_may_put_aside_what_cannot_be_read(client: redis.Redis, user: str) -> None:
    client.set(keys.task("x"), "of another type")
    store = open_store(_url(client, user), KEYRING)

    assert store.connection.client.type(keys.task("x")) == "string"
    store.connection.set_aside(keys.task("x"))
    store.connection.close()

    assert not client.exists(keys.task("x"))
    assert len(client.keys("cw:aside:*")) == 1


@pytest.mark.parametrize("user", USERS)
def test_scripts_run_that_the_server_has_forgotten(client: redis.Redis, user: str) -> None:
    """After a restart of the broker: they are brought along again."""
    text = checked(files("cw.store").joinpath("scripts", "relock.lua").read_text("utf-8"))
    client.script_flush()
    url = _url(client, user)
    store = open_store(url, KEYRING)

    with store.locks.held("pass") as lock:
        assert lock
        lock.renew()
        assert client.get(keys.lock("pass")) == lock.holder

    store.connection.close()
    assert client.script_exists(hashlib.sha1(text.encode()).hexdigest()) == [True]  # noqa: S324


def _url(client: redis.Redis, user: str) -> str:
    path = client.connection_pool.connection_kwargs["path"]
    return f"unix://{user}:{user.upper()}_PASSWORD@{path}"
