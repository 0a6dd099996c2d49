"""An emptied broker is told again what the hosts' disks know, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cw.budgets.ceilings import Amount
from cw.budgets.scopes import Payers
from cw.homes import journal
from cw.homes.home import make_home, templates_dir
from cw.homes.journal import Journal, Run
from cw.homes.layout import Home
from cw.models import Outcome, TaskSpec
from cw.operations.reconciliation.rebuilding import Rebuilt, rebuild, recount
from cw.redaction.redact import Redactor
from cw.settings import Settings
from cw.states import Move, OutcomeKind, State
from cw.store import keys
from cw.store.lease_values import Grant, Holder, LiveRun, Settlement, Spending
from cw.store.store import Store
from tests.integration.hosting import Machine, machine
from tests.integration.test_adoption import HANG, under_way
from tests.making import NOW, make_journal, make_outcome, make_spec
from tests.waiting import wait_until
from workerhost.runs.run_context import prompt_as_dispatched

QUICK = "rehearse: pace 0.05\n"


def settings_of(home: Home, days: int = 100_000) -> Settings:
    return Settings(workers_root=home.path.parent, rebuild_days=days)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    make_home(tmp_path / "workers", "01", {}, templates_dir())
    return Home(tmp_path / "workers" / "01")


def archived(home: Home, spec: TaskSpec, minutes: int = 0, **changed: Any) -> Path:
    at = NOW + timedelta(minutes=minutes)
    run = Run(worker="01", host="here", attempt=2, fence=7, session="s", started_at=at, ended_at=at)
    book: dict[str, Any] = {"phase": "settled", "outcome": make_outcome(), "run": run}
    path = journal.archive(home, make_journal(task=spec, **(book | changed)), Redactor())
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def test_finished_task_comes_back_whole(store: Store, home: Home) -> None:
    spec = make_spec()
    archived(home, spec)

    assert rebuild(store, settings_of(home)) == Rebuilt((spec.id,))

    task = store.tasks.get(spec.id)
    assert task
    assert (task.spec, task.state, task.outcome) == (spec, State.DONE, make_outcome())
    assert (task.worker, task.host, task.attempt, task.session) == ("01", "here", 2, "s")
    assert (task.started_at, task.ended_at) == (NOW, NOW)
    assert [one.spec.id for one in store.tasks.done_tasks(10)] == [spec.id]
    assert store.tasks.finished([("acme/app", 22)])[("acme/app", 22)].spec.id == spec.id
    assert store.tasks.claimed_by("acme/app", 22) is None
    assert store.tasks.open_tasks() == []
    assert rebuild(store, settings_of(home)) == Rebuilt()


def test_later_fences_are_higher_than_every_archived_one(store: Store, home: Home) -> None:
    archived(home, make_spec())
    rebuild(store, settings_of(home))
    other = make_spec(issue=23)
    store.tasks.create(other, "")

    grant = store.tasks.acquire(other.id, worker="02", host="h", ttl=60, session="s")

    assert getattr(grant, "fence", 0) > 7


@pytest.mark.parametrize("state", ["queued", "running", "done"])
def test_what_the_broker_knows_is_left_alone(store: Store, home: Home, state: str) -> None:
    spec = make_spec()
    store.tasks.create(spec, "")
    if state != "queued":
        store.tasks.acquire(spec.id, worker="01", host="here", ttl=60, session="s")
    if state == "done":
        store.connection.client.hset(f"cw:task:{spec.id}", "state", "done")
    before = store.connection.client.hgetall(f"cw:task:{spec.id}")
    archived(home, spec)

    assert rebuild(store, settings_of(home)) == Rebuilt()

    assert store.connection.client.hgetall(f"cw:task:{spec.id}") == before
    assert store.tasks.claimed_by("acme/app", 22) == spec.id


@pytest.mark.parametrize(
    "changed",
    [
        {"outcome": make_outcome(OutcomeKind.DEFERRED, reason="usage_limit")},
        {"outcome": make_outcome(OutcomeKind.STOPPED, reason="stopped")},
        {"outcome": make_outcome(OutcomeKind.FAILED, reason="lost")},
        {"phase": "overtaken"},
        {"outcome": None, "phase": "running"},
    ],
    ids=["deferred", "stopped", "lost", "overtaken", "no outcome"],
)
def test_task_whose_last_run_did_not_end_it_is_not_finished(
    store: Store, home: Home, changed: dict[str, Any]
) -> None:
    spec = make_spec()
    archived(home, spec)
    archived(home, spec, minutes=5, **changed)

    assert rebuild(store, settings_of(home)) == Rebuilt()


def test_last_of_several_runs_counts(store: Store, home: Home) -> None:
    spec = make_spec()
    archived(home, spec, outcome=make_outcome(OutcomeKind.DEFERRED, reason="usage_limit"))
    archived(home, spec, minutes=5)

    assert rebuild(store, settings_of(home)).recorded == (spec.id,)


def test_later_task_of_an_issue_stays_its_last(store: Store, home: Home) -> None:
    young, old = make_spec(), make_spec()
    archived(home, young, minutes=5)
    rebuild(store, settings_of(home))
    archived(home, old)

    assert rebuild(store, settings_of(home)).recorded == (old.id,)

    assert store.tasks.finished([("acme/app", 22)])[("acme/app", 22)].spec.id == young.id


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"task": 1}', "[" * 200_000])
def test_damaged_archive_is_told_and_left_and_stops_nothing(
    store: Store, home: Home, text: str
) -> None:
    spec = make_spec()
    archived(home, spec)
    damaged = home.completed / "a-damaged.json"
    damaged.write_text(text, "utf-8")

    assert rebuild(store, settings_of(home)) == Rebuilt((spec.id,), (damaged,))

    assert damaged.read_text("utf-8") == text


def test_old_archives_are_not_read(store: Store, home: Home) -> None:
    path = archived(home, make_spec())
    old = (datetime.now(UTC) - timedelta(days=31)).timestamp()
    os.utime(path, (old, old))

    assert rebuild(store, settings_of(home, 30)) == Rebuilt()
    assert rebuild(store, settings_of(home, 0)) == Rebuilt()


def test_reconcile_says_what_it_recorded_again(store: Store, home: Home, redis_url: str) -> None:
    spec = make_spec()
    archived(home, spec)
    (home.completed / "b.json").write_text("{", "utf-8")

    said = reconcile(home, redis_url, "--dry-run")
    assert "1 finished task(s) would be recorded again" in said
    assert store.tasks.get(spec.id) is None
    said = reconcile(home, redis_url)

    assert "1 finished task(s) recorded again from the archives" in said
    assert "b.json cannot be read" in said
    assert store.tasks.get(spec.id)


def reconcile(home: Home, url: str, *options: str) -> str:
    """Without a token: this part needs none."""
    env = {
        "HOME": str(home.path.parent.parent),
        "PATH": os.environ["PATH"],
        "CW_BROKER_URL": url,
        "CW_WORKERS_ROOT": str(home.path.parent),
        "CW_REBUILD_DAYS": "100000",
    }
    command = [str(Path(sys.executable).with_name("cw")), "reconcile", *options]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def in_the_store(here: Machine, spec: TaskSpec) -> bool:
    return here.store().tasks.get(spec.id) is not None


def test_living_host_rebuilds_an_emptied_broker(git_repo: Path) -> None:
    """The finished task from its archive, the live one from its journal with its prompt."""
    with machine(git_repo, CW_LEASE_RENEW="1") as here:
        here.start()
        done = here.dispatch(QUICK)
        before = here.reaches(done, State.DONE)
        live = here.dispatch(HANG)
        under_way(here, live)
        store = here.store()

        store.connection.client.flushall()

        wait_until(lambda: in_the_store(here, done), 30, here.log)
        wait_until(lambda: in_the_store(here, live), 30, here.log)
        after = here.task(done)
        assert after.outcome == before.outcome
        assert after.ended_at
        assert before.ended_at
        assert abs(after.ended_at - before.ended_at) < timedelta(seconds=10)
        assert here.task(live).state is State.RUNNING
        assert store.tasks.prompt(live.id) == HANG
        assert len(here.agents()) == 2


def test_starting_host_rebuilds_what_is_missing(git_repo: Path) -> None:
    with machine(git_repo) as here:
        first = here.start()
        done = here.dispatch(QUICK)
        here.reaches(done, State.DONE)
        wait_until(lambda: not here.home().journal.exists(), what="the archive")
        first.kill()
        first.wait()
        here.store().connection.client.flushall()

        here.start()

        wait_until(lambda: in_the_store(here, done), 30, here.log)
        assert here.task(done).state is State.DONE


def test_task_that_ended_is_not_run_again_when_yesterdays_broker_says_that_it_waits(
    git_repo: Path,
) -> None:
    with machine(git_repo) as here:
        spec = here.dispatch(QUICK, created_at=datetime.now(UTC))
        client = here.store().connection.client
        yesterday = {name: client.dump(name) for name in client.keys("cw:*")}
        here.start()
        before = here.reaches(spec, State.DONE)
        wait_until(lambda: not here.home().journal.exists(), what="the archive")

        client.flushall()
        for name, value in yesterday.items():
            client.restore(name, 0, value)
        here.hint(spec)
        after = here.reaches(spec, State.DONE)

        assert after.outcome == before.outcome
        assert len(here.agents()) == 1


@pytest.mark.parametrize("same", [False, True], ids=["another task's", "its own"])
def test_restored_run_does_not_take_an_issue_that_somebody_else_has(
    store: Store, same: bool
) -> None:
    """The broker was emptied, and before the run's host could say so, the issue was dispatched."""
    run, newer = make_spec(), make_spec()
    store.tasks.create(newer, "")
    if same:
        store.connection.client.delete(keys.task(newer.id), keys.claim(run.repo, run.issue or 0))

    known = LiveRun(worker="01", host="here", fence=7, attempt=1, session="s")
    restored = store.tasks.restore(run, known, 60)

    assert restored is same
    assert store.tasks.claimed_by(run.repo, run.issue or 0) == (run if same else newer).id
    assert (store.tasks.get(run.id) is not None) is same


def test_changed_prompt_is_not_restored(store: Store, home: Home) -> None:
    spec = make_spec(prompt_sha256="0" * 64)
    home.run.mkdir(exist_ok=True)
    home.wanted.write_text("not what was dispatched", "utf-8")

    assert prompt_as_dispatched(home, spec) == ""


def test_book_of_an_archive_is_read_back(home: Home) -> None:
    path = archived(home, make_spec(), phase="overtaken")

    assert Journal.model_validate(json.loads(path.read_bytes())).phase == "overtaken"


def took(usd: float) -> Outcome:
    return make_outcome(cost_usd=usd, turns=2, duration_s=30.0)


def test_emptied_broker_knows_again_what_the_month_has_cost(store: Store, home: Home) -> None:
    """Once, and without the runs that it has recorded since."""
    archived(home, make_spec(), outcome=took(0.5))
    archived(home, make_spec(issue=23), minutes=10, outcome=took(0.25))
    later = NOW + timedelta(minutes=20)
    recorded_since(store, home, later, took(2.0))

    assert recount(store, replace(settings_of(home), host_name="here"), later)
    assert not recount(store, replace(settings_of(home), host_name="here"), later)

    spent, day = store.budgets.read(NOW).spent, f"{NOW:%d}"
    assert spent["fleet"] == spent[f"{day}:worker:01"] == Amount(2.75, 6, 90.0)


def recorded_since(store: Store, home: Home, at: datetime, outcome: Outcome) -> None:
    spec = make_spec(issue=24)
    store.tasks.create(spec, "")
    granted = store.tasks.acquire(spec.id, worker="01", host="here", ttl=60, session="s")
    assert isinstance(granted, Grant)
    spending = Spending(Payers("01", ""), at, "here")
    done = Settlement(Move.FINISH, outcome, spending=spending)
    assert store.tasks.settle(Holder(spec.id, "01", granted.fence), done)
    archived(home, spec, minutes=20, outcome=outcome)


def test_month_before_counts_for_nothing(store: Store, home: Home) -> None:
    archived(home, make_spec(), outcome=took(0.5))

    assert recount(store, settings_of(home), NOW + timedelta(days=40))

    assert store.budgets.read(NOW + timedelta(days=40)).spent == {}
