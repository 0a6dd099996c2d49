"""What is done to many is undone for many, and a pause keeps its reason."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cw.fleet_models import HOST, Host, Worker
from cw.models import Outcome
from cw.reasons import Reason
from cw.states import Move, OutcomeKind, State
from cw.store.lease_values import Grant
from cw.store.store import Store
from tests.ending import ended

Cw = Callable[..., "subprocess.CompletedProcess[str]"]
MEND = "the API does not accept the worker's credentials. Mend /nowhere/02/.zshenv"
WITH_ACCOUNT = (Reason.USAGE_LIMIT, Reason.API_UNAVAILABLE)


@pytest.fixture(autouse=True)
def broker(cw_environ: dict[str, str], redis_url: str, store: Store) -> None:
    cw_environ["CW_BROKER_URL"] = redis_url
    for one in ("01", "02", "03"):
        store.fleet.register_worker(Worker(id=one, host="there", home=f"/nowhere/{one}"))
    store.fleet.beat(Host(name="there", workers=3), store.tasks.now())
    store.fleet.leave("there")  # nobody is asked, so nobody is waited for


def came_to_rest(
    cw: Cw,
    store: Store,
    repo: Path,
    worker: str,
    move: Move,
    reason: str = "x",
    hold: timedelta = timedelta(hours=3),
    turns: int = 0,
) -> str:
    done = cw("dispatch", "-r", str(repo), "-p", "Do it", "-w", worker, "--json")
    task = str(json.loads(done.stdout)["task"])
    grant = store.tasks.acquire(task, worker=worker, host="there", ttl=60, session="s")
    assert isinstance(grant, Grant)
    held = move is Move.HOLD
    outcome = Outcome(
        kind=OutcomeKind.DEFERRED if held else OutcomeKind.STOPPED,
        reason=reason,
        message="it came to rest",
        turns=turns,
        retry_at=store.tasks.now() + hold if held else None,
    )
    ended(store, task, grant.fence, outcome, move, worker)
    return task


def state(store: Store, task: str) -> State:
    found = store.tasks.get(task)
    assert found
    return found.state


def test_restart_takes_several_and_all(cw: Cw, store: Store, git_repo: Path) -> None:
    first = came_to_rest(cw, store, git_repo, "01", Move.STOP)
    second = came_to_rest(cw, store, git_repo, "02", Move.LOSE)
    third = came_to_rest(cw, store, git_repo, "03", Move.HOLD, Reason.GITHUB_UNAVAILABLE)

    done = cw("restart", "01", second[:10].lower())

    assert done.returncode == 0, done.stderr
    assert [state(store, one) for one in (first, second, third)] == [
        State.QUEUED,
        State.QUEUED,
        State.HELD,
    ]
    assert cw("restart", "--all").returncode == 0
    assert state(store, third) is State.QUEUED


def test_restart_of_several_changes_nothing_when_one_is_unknown(
    cw: Cw, store: Store, git_repo: Path
) -> None:
    task = came_to_rest(cw, store, git_repo, "01", Move.STOP)

    done = cw("restart", "01", "nobody")

    assert done.returncode == 2
    assert state(store, task) is State.STOPPED


def test_restart_of_several_changes_nothing_when_one_has_taken_more_than_it_is_given(
    cw: Cw, store: Store, git_repo: Path
) -> None:
    taken = {"01": 1, "02": 5}
    tasks = [
        came_to_rest(cw, store, git_repo, worker, Move.STOP, turns=turns)
        for worker, turns in taken.items()
    ]

    done = cw("restart", *taken, "--max-turns", "5")

    assert done.returncode == 2
    assert "has taken 5turns already. Give it more than that with --max-turns" in done.stderr
    for task in tasks:
        assert state(store, task) is State.STOPPED
        found = store.tasks.get(task)
        assert found
        assert found.spec.max_turns == 0
    assert cw("restart", *taken, "--max-turns", "6").returncode == 0
    assert {one.spec.max_turns for one in store.tasks.open_tasks()} == {6}


@pytest.mark.parametrize("reason", WITH_ACCOUNT)
def test_all_leaves_what_waits_with_its_account_and_says_until_when(
    cw: Cw, store: Store, git_repo: Path, reason: Reason
) -> None:
    task = came_to_rest(cw, store, git_repo, "01", Move.HOLD, reason)

    done = cw("restart", "--all")

    assert done.returncode == 0
    assert "its account waits until" in done.stdout
    assert state(store, task) is State.HELD
    assert "cw restart" not in cw("status").stdout  # what cannot help is not offered


@pytest.mark.parametrize("reason", WITH_ACCOUNT)
def test_what_waits_with_its_account_is_restarted_before_only_for_who_says_now(
    cw: Cw, store: Store, git_repo: Path, reason: Reason
) -> None:
    """The agent would be refused as well, and its issue told the same again."""
    stopped = came_to_rest(cw, store, git_repo, "01", Move.STOP)
    held = came_to_rest(cw, store, git_repo, "02", Move.HOLD, reason)

    refused = cw("restart", "01", "02")

    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "goes on by itself at 20" in refused.stderr
    assert "--now" in refused.stderr
    assert [state(store, one) for one in (stopped, held)] == [State.STOPPED, State.HELD]
    assert cw("restart", "02", "--now").returncode == 0
    assert state(store, held) is State.QUEUED


def test_limit_that_is_over_keeps_nobody_from_restarting(
    cw: Cw, store: Store, git_repo: Path
) -> None:
    task = came_to_rest(
        cw, store, git_repo, "01", Move.HOLD, Reason.USAGE_LIMIT, timedelta(seconds=-1)
    )

    assert cw("restart", "01").returncode == 0
    assert state(store, task) is State.QUEUED


def test_reset_takes_several_and_all(cw: Cw, store: Store, git_repo: Path) -> None:
    tasks = [
        came_to_rest(cw, store, git_repo, worker, move)
        for worker, move in (("01", Move.STOP), ("02", Move.LOSE), ("03", Move.STOP))
    ]

    assert cw("reset", "01", "02", "-f").returncode == 0
    assert [state(store, one) for one in tasks] == [State.DONE, State.DONE, State.STOPPED]
    assert cw("reset", "--all").returncode == 0
    assert state(store, tasks[2]) is State.DONE
    assert "Nothing is stopped" in cw("reset", "--all").stdout


@pytest.mark.parametrize("command", ["restart", "reset", "stop", "pause", "resume"])
def test_neither_ids_nor_all_is_refused(cw: Cw, command: str) -> None:
    for words in ((), ("01", "--all")):
        done = cw(command, *words)

        assert done.returncode == 2
        assert done.stderr.count("\n") == 1


def test_what_is_offered_after_a_drain_can_be_typed(cw: Cw, store: Store) -> None:
    done = cw("drain", "01")

    assert done.stdout.endswith("Let them go on: cw resume 01\n")
    assert cw("resume", "01").returncode == 0
    assert cw("drain", "--host", "there").stdout.endswith("cw resume --host there\n")
    assert cw("resume", "--host", "there").returncode == 0


def test_pause_of_all_keeps_what_the_fleet_itself_said(cw: Cw, store: Store) -> None:
    store.fleet.pause("02", MEND, by=HOST)
    store.fleet.pause("03", "lunch")

    cw("pause", "--all", "--note", "night")

    notes = {one.id: one.paused for one in store.fleet.workers()}
    assert notes == {"01": "night", "02": MEND, "03": "lunch"}


def test_resume_of_all_leaves_out_who_would_fail_again_and_says_so(cw: Cw, store: Store) -> None:
    store.fleet.pause("02", MEND, by=HOST)
    store.fleet.pause("03", "lunch")

    done = cw("resume", "--all")

    assert f"worker 02 stays paused: {MEND}" in done.stdout
    assert [one.id for one in store.fleet.workers() if one.paused] == ["02"]
    assert "worker 02 takes work" in cw("resume", "02").stdout
    assert not any(one.paused for one in store.fleet.workers())


def test_stop_of_all_names_what_lets_them_go_on(cw: Cw, store: Store, git_repo: Path) -> None:
    done = cw("stop", "--all")

    assert "Let them go on: cw resume --all" in done.stdout
    assert "cw restart" not in done.stdout
