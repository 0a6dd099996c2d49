"""A broker, or a host, that takes the call and says nothing: a word after a second, the truth after
the deadline.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cw.fleet_models import Host, Worker
from cw.states import State
from cw.store.lease_values import Grant
from cw.store.store import Store
from tests.making import make_spec
from tests.terminal import Terminal, plain

Cw = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[Path]:
    """A server that was stopped in the middle: the kernel takes its calls."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(64)
        yield path


@pytest.mark.parametrize("words", [("status",), ("watch", "01"), ("hosts",)])
def test_looking_says_what_it_waits_for_and_ends_soon_with_the_truth(
    cw_environ: dict[str, str], deaf: Path, words: tuple[str, ...]
) -> None:
    cw_environ["CW_BROKER_URL"] = f"unix://{deaf}"

    with Terminal(cw_environ, *words) as terminal:
        terminal.wait_for("waiting for the broker")
        begin = time.monotonic()
        assert "did not answer" not in terminal.text
        assert terminal.finish() == 4

    assert time.monotonic() - begin < 5  # 2 s are left of its 3
    said = " ".join(plain(terminal.text).split())
    assert "the broker runs, but did not answer within 3 s. It is busy, or was stopped" in said
    assert "Start it with: cw up" not in said


def test_what_changes_something_waits_longer_and_a_pipe_gets_one_line(
    cw: Cw, cw_environ: dict[str, str], deaf: Path
) -> None:
    begin = time.monotonic()

    done = cw("pause", "01", CW_BROKER_URL=f"unix://{deaf}")

    assert time.monotonic() - begin > 9.5
    assert done.returncode == 4
    assert done.stderr.startswith("cw: the broker runs, but did not answer within 10 s.")
    assert done.stderr.count("\n") == 1


def test_port_of_somebody_else_is_named_without_the_password(cw: Cw) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        port = server.getsockname()[1]

        done = cw("status", CW_BROKER_URL=f"redis://me:secret@127.0.0.1:{port}/0")

    assert done.returncode == 4
    assert f"127.0.0.1:{port} is no Redis or Valkey server" in done.stderr
    assert "secret" not in done.stderr


def test_broker_that_is_not_there_is_said_at_once(cw: Cw, tmp_path: Path) -> None:
    done = cw("status", CW_BROKER_URL=f"unix://{tmp_path}/nothing")

    assert done.stderr.startswith("cw: the broker does not answer (connection refused or lost)")
    assert "Start it with: cw up" in done.stderr


def test_host_that_does_not_answer_is_said_to_be_up(
    cw_environ: dict[str, str], redis_url: str, store: Store
) -> None:
    cw_environ["CW_BROKER_URL"] = redis_url
    store.fleet.register_worker(Worker(id="01", host="there", home="/nowhere/01"))
    store.fleet.beat(Host(name="there", workers=1), store.tasks.now())
    spec = make_spec(wanted_worker="01", created_at=store.tasks.now())
    store.tasks.create(spec, "Do it")
    assert isinstance(
        store.tasks.acquire(spec.id, worker="01", host="there", ttl=60, session="s"), Grant
    )
    task = store.tasks.get(spec.id)
    assert task is not None
    assert task.state is State.RUNNING

    with Terminal(cw_environ, "diff", "01") as terminal:
        terminal.wait_for("waiting for host there (1s)")
        assert terminal.finish() == 4

    said = " ".join(plain(terminal.text).split())
    assert "host there is up, but did not answer within 8 s" in said
