"""`cw dispatch` says "starts now" only when it is so; else what has to happen first."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cw.fleet_models import Host, Worker
from cw.models import Outcome
from cw.states import Move, OutcomeKind
from cw.store.lease_values import Grant
from cw.store.store import Store
from tests.ending import ended

Cw = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def broker(cw_environ: dict[str, str], redis_url: str, store: Store) -> None:
    cw_environ["CW_BROKER_URL"] = redis_url
    for one in ("01", "02"):
        store.fleet.register_worker(Worker(id=one, host="there", home=f"/nowhere/{one}"))
    beat(store)


def beat(store: Store, unfit: str = "") -> None:
    store.fleet.beat(Host(name="there", workers=2, unfit=unfit), store.tasks.now())


def dispatch(cw: Cw, repo: Path, *args: str) -> str:
    done = cw("dispatch", "-r", str(repo), "-p", "Do it", *args)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_on(cw: Cw, store: Store, repo: Path, worker: str, move: Move | None = None) -> None:
    """The worker has a task: it runs, or came to rest by `move`."""
    done = cw("dispatch", "-r", str(repo), "-p", "Before", "-w", worker, "--json")
    task = json.loads(done.stdout)["task"]
    grant = store.tasks.acquire(task, worker=worker, host="there", ttl=60, session="s")
    assert isinstance(grant, Grant)
    if move:
        outcome = Outcome(kind=OutcomeKind.STOPPED, reason="x", message="it came to rest")
        ended(store, task, grant.fence, outcome, move, worker)


def test_idle_worker_starts_now(cw: Cw, git_repo: Path) -> None:
    assert "starts now" in dispatch(cw, git_repo, "-w", "01")
    assert "starts now" in dispatch(cw, git_repo)


def test_paused_worker_does_not(cw: Cw, store: Store, git_repo: Path) -> None:
    store.fleet.pause("01", "new disk")

    said = dispatch(cw, git_repo, "-w", "01")

    assert "starts now" not in said
    assert "It waits: worker 01 is paused: new disk; cw resume 01" in said


def test_pool_of_paused_workers_does_not(cw: Cw, store: Store, git_repo: Path) -> None:
    for one in ("01", "02"):
        store.fleet.pause(one, "night")

    assert "It waits: every worker is paused; let them go on with: cw resume --all" in dispatch(
        cw, git_repo
    )


def test_pool_of_an_unfit_host_does_not(cw: Cw, store: Store, git_repo: Path) -> None:
    beat(store, unfit="socat is not installed")

    assert "It waits: host there takes nothing: socat is not installed" in dispatch(cw, git_repo)


@pytest.mark.parametrize("move", [Move.LOSE, Move.STOP])
def test_behind_a_task_that_waits_for_a_person_it_does_not(
    cw: Cw, store: Store, git_repo: Path, move: Move
) -> None:
    run_on(cw, store, git_repo, "01", move)

    said = dispatch(cw, git_repo, "-w", "01")

    assert "starts now" not in said
    assert "cw restart 01 or cw reset 01" in said
    assert "starts now" in dispatch(cw, git_repo)  # worker 02 is free


def test_busy_worker_does_not(cw: Cw, store: Store, git_repo: Path) -> None:
    run_on(cw, store, git_repo, "01")

    assert "It waits: worker 01 is busy with app" in dispatch(cw, git_repo, "-w", "01")


def test_pool_starts_as_many_as_are_idle(cw: Cw, store: Store, git_repo: Path) -> None:
    run_on(cw, store, git_repo, "01")

    assert "starts now" in dispatch(cw, git_repo)
    assert "It waits: 1 task is before it" in dispatch(cw, git_repo)


def test_without_a_host_there_is_one_word_for_it(cw: Cw, store: Store, git_repo: Path) -> None:
    store.fleet.leave("there")

    done = cw("dispatch", "-r", str(git_repo), "-p", "Do it", "-w", "01")

    assert "starts now" not in done.stdout
    assert "no host is running" in done.stderr
