"""`cw watch`: what was said at once, what the agent does now, and a host's silence."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cw.fleet_models import Host, Worker
from cw.models import Event, Outcome
from cw.states import Move, OutcomeKind
from cw.store.lease_values import Grant, Holder, Settlement
from cw.store.store import Store
from tests.terminal import COLUMNS, Terminal, plain
from tests.waiting import wait_until

Cw = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def broker(cw_environ: dict[str, str], redis_url: str, store: Store) -> None:
    cw_environ["CW_BROKER_URL"] = redis_url
    store.fleet.register_worker(Worker(id="01", host="there", home="/nowhere/01"))
    store.fleet.beat(Host(name="there", workers=1), store.tasks.now())


def dispatch(cw: Cw, repo: Path, *args: str) -> str:
    done = cw("dispatch", "-r", str(repo), "-p", "Do it", "--json", *args)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["task"])


def run_it(store: Store, task: str) -> int:
    grant = store.tasks.acquire(task, worker="01", host="there", ttl=60, session="s")
    assert isinstance(grant, Grant)
    return grant.fence


def say(store: Store, task: str, *what: tuple[str, str]) -> None:
    at = store.tasks.now()
    store.events.append(task, [Event(at=at, kind=kind, text=text) for kind, text in what])


def end(store: Store, task: str, fence: int) -> None:
    outcome = Outcome(kind=OutcomeKind.SUCCEEDED, reason="done", message="1 commit pushed")
    assert store.tasks.settle(
        Holder(task, "01", fence),
        Settlement(Move.FINISH, outcome),
    )


@pytest.fixture
def running(cw: Cw, store: Store, git_repo: Path) -> tuple[str, int]:
    task = dispatch(cw, git_repo, "-w", "01")
    return task, run_it(store, task)


def test_backlog_is_there_before_anything_new_is_said(
    cw_environ: dict[str, str], store: Store, running: tuple[str, int]
) -> None:
    say(store, running[0], *(("text", f"line {number}") for number in range(30)))

    with Terminal(cw_environ, "watch", "01") as shown:
        shown.wait_for("line 29")
        shown.wait_for("running on worker 01")

    assert "line 9\r" not in shown.text
    assert "line 10" in shown.text


def test_last_line_says_what_the_agent_is_in_the_middle_of(
    cw_environ: dict[str, str], store: Store, running: tuple[str, int]
) -> None:
    task, fence = running
    say(store, task, ("text", "First the tests."), ("tool", f"Bash: pytest {'x' * 200}"))

    with Terminal(cw_environ, "watch", "01") as shown:
        shown.wait_for("… Bash: pytest")
        say(store, task, ("result", "2 passed"))
        shown.wait_for("… waiting for the model")
        end(store, task, fence)
        assert shown.finish() == 0

    frames = [plain(one) for one in shown.text.replace("\r\n", "\n").split("\r")]
    assert all(len(line) <= COLUMNS for one in frames if "…" in one for line in one.splitlines())
    assert frames[-1].startswith("succeeded")


def test_nothing_is_redrawn_in_a_pipe(cw: Cw, store: Store, running: tuple[str, int]) -> None:
    task, fence = running
    say(store, task, ("tool", "Bash: pytest"))
    end(store, task, fence)

    done = cw("watch", task)

    assert done.stdout.count("Bash: pytest") == 1
    assert "\r" not in done.stdout
    assert "…" not in done.stdout


def test_worker_that_is_about_to_get_a_pool_task_is_waited_for(
    cw_environ: dict[str, str], cw: Cw, store: Store, git_repo: Path
) -> None:
    task = dispatch(cw, git_repo)

    with Terminal(cw_environ, "watch", "01") as shown:
        shown.wait_for("worker 01 has no task yet")
        fence = run_it(store, task)
        shown.wait_for("running on worker 01")
        end(store, task, fence)
        assert shown.finish() == 0


def test_worker_that_will_get_nothing_is_not_waited_for(cw: Cw) -> None:
    done = cw("watch", "01")

    assert done.returncode == 1
    assert "worker 01 has no task" in done.stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_silence_of_the_host_is_said_at_once(
    cw_environ: dict[str, str], store: Store, running: tuple[str, int], as_json: bool
) -> None:
    store.fleet.beat(Host(name="there", workers=1), store.tasks.now() - timedelta(minutes=5))
    words = ["cw", "watch", "01", *(["--json"] if as_json else [])]
    said: list[bytes] = []

    with subprocess.Popen(
        words, env=cw_environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as watching:
        assert watching.stderr
        reader = threading.Thread(target=lambda: said.append(watching.stderr.readline()))  # type: ignore[union-attr]
        reader.start()
        wait_until(lambda: said, 30, "a word about the silence")
        watching.kill()
        reader.join()

    assert b"host there has been silent for 5m" in said[0]
