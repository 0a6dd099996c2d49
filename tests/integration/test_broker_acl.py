"""A broker on the network: TLS with a certificate of our own, a user for each part of the fleet."""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError

import pytest
import redis
from redis.exceptions import NoPermissionError

from cw.services.acl import OPERATOR, USERS, password_word, users_acl
from cw.states import State
from tests.conftest import make_repo
from tests.integration.networked import Networked, networked_machine
from tests.servers import broker_program
from tests.waiting import wait_until

QUICK = "rehearse: pace 0.05\nrehearse: no-change\n"
ROOT = Path(__file__).parents[2]
FORBIDDEN = (
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("KEYS", "*"),
    ("CONFIG", "GET", "*"),
    ("CONFIG", "SET", "dir", "/"),
    ("ACL", "LIST"),
    ("MODULE", "LIST"),
    ("SHUTDOWN",),
    ("REPLICAOF", "evil.example", "6379"),
    ("MIGRATE", "evil.example", "6379", "cw:task:1", "0", "1"),
    ("MONITOR",),
    ("CLIENT", "LIST"),
    ("SAVE",),
    ("GET", "another program's key"),
    ("SET", "another program's key", "x"),
    ("SUBSCRIBE", "another program's channel"),
)
MORE = {
    "dispatcher": (("RPOP", "worker.01"), ("LRANGE", "host.here", "0", "-1"), ("DEL", "unacked")),
    "host": (("GET", "celeryev"),),
    "flower": (("GETDEL", "cw"), ("LPUSH", "celery", "x")),
}


@pytest.fixture(scope="module")
def networked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Networked]:
    with networked_machine(make_repo(tmp_path_factory.mktemp("r") / "app")) as here:
        yield here


def test_template_is_what_the_code_says() -> None:
    assert (ROOT / "deploy" / "redis" / "users.acl").read_text("ascii") == users_acl()


def test_each_user_can_do_its_work(networked: Networked) -> None:
    """A host, a beat, Flower and a person with a user each: nothing they do is denied."""
    here = networked
    host = here.start()
    here.service("cw.services.beat", "host")
    flower = here.service("cw.services.flower", "flower")
    web = here.folder / "state" / "flower"
    wait_until(lambda: (web / "url").exists() or flower.poll() is not None, what=here.log)

    said = here.cw("dispatch", "-r", str(here.repo), "-w", "01", "-p", QUICK, "--json")
    task = json.loads(said)["task"]
    wait_until(lambda: _state(here, task) is State.DONE, 30, lambda: f"{here.denied()}{here.log()}")
    here.cw("logs", "01")
    here.cw("history")
    here.cw("pause", "01")
    wait_until(lambda: task in _page(web, "/api/tasks"), 20, here.log)
    workers = json.loads(_page(web, "/api/workers?refresh=1"))
    lengths = json.loads(_page(web, "/api/queues/length"))

    assert set(workers) == {"cw@here"}
    assert "pool" in workers["cw@here"]["stats"]
    assert {one["name"] for one in lengths["active_queues"]} >= {"workers", "fleet"}
    assert host.poll() is None
    assert here.denied() == []


@pytest.mark.parametrize("user", USERS)
def test_no_user_can_do_more(networked: Networked, user: str) -> None:
    with networked.client(user) as client:
        for command in (*FORBIDDEN, *MORE[user]):
            with pytest.raises(NoPermissionError):
                pytest.fail(f"{command}: {client.execute_command(*command)}")
        assert client.ping()
    assert networked.denied()


def test_nobody_gets_in_without_password_or_without_tls(networked: Networked) -> None:
    port, ca = networked.port, str(networked.folder / "ca.pem")
    for url in (f"rediss://127.0.0.1:{port}", f"rediss://host:wrong@127.0.0.1:{port}"):
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url(url, ssl_ca_certs=ca).ping()
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(f"redis://127.0.0.1:{port}").ping()
    with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        redis.Redis.from_url(networked.address("host")).ping()
    networked.denied()


def test_killed_broker_with_these_users_finds_all_it_had(tmp_path: Path) -> None:
    (tmp_path / "users.acl").write_text(users_acl(), "ascii")
    with tempfile.TemporaryDirectory(prefix="cwn-") as folder:  # a socket's path is short
        options = f"--port 0 --unixsocket {folder}/s --dir {tmp_path} --appendfsync always"
        command = [broker_program(), *options.split(), "--appendonly", "yes"]
        command += ["--aclfile", str(tmp_path / "users.acl")]
        url = f"unix://{OPERATOR}:{password_word(OPERATOR)}@{folder}/s"
        with redis.Redis.from_url(url, decode_responses=True) as client:
            with _killed_at_the_end(command, client), client.pipeline(transaction=True) as pipe:
                pipe.hset("cw:task:T", "state", "queued").sadd("cw:open", "T").execute()
            with _killed_at_the_end(command, client):
                found = client.hget("cw:task:T", "state"), client.smembers("cw:open")

    assert found == ("queued", {"T"})


@contextmanager
def _killed_at_the_end(command: list[str], client: redis.Redis) -> Iterator[None]:
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: _pings(client), what="redis-server")
        yield
    finally:
        server.kill()
        server.wait()


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def _state(here: Networked, task: str) -> State | None:
    found = here.store().tasks.get(task)
    return found.state if found else None


def _page(web: Path, path: str) -> str:
    secret = base64.b64encode(f"cw:{(web / 'password').read_text()}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310  loopback
        (web / "url").read_text() + path, headers={"Authorization": f"Basic {secret}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return str(answer.read().decode())
    except HTTPError as error:
        return f"{error.code}"
