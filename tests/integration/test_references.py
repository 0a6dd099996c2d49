"""What people type for a task: every form that cw prints, or that GitHub's page shows."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cw.fleet_models import Host, Worker
from cw.models import Outcome
from cw.names import new_task_id
from cw.operations.fleet.references import SHORT, shortest
from cw.states import Move, OutcomeKind
from cw.store.lease_values import Grant
from cw.store.store import Store
from tests.ending import ended
from tests.making import make_spec

Cw = Callable[..., "subprocess.CompletedProcess[str]"]
BORN = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)
PULL = "https://github.com/acme/app/pull/31"


@pytest.fixture(autouse=True)
def broker(cw_environ: dict[str, str], redis_url: str, store: Store) -> None:
    cw_environ["CW_BROKER_URL"] = redis_url
    store.fleet.register_worker(Worker(id="01", host="there", home="/nowhere/01"))
    store.fleet.beat(Host(name="there", workers=1), store.tasks.now())


def record(
    store: Store, issue: int, *, repo: str = "acme/app", at: int = 0, chance: int = 0
) -> str:
    """Waits in the pool. `at`: milliseconds after the first."""
    identity = new_task_id(BORN + at, lambda _: chance)
    spec = make_spec(id=identity, repo=repo, issue=issue)
    store.tasks.create(spec, "")
    return identity


def finish(store: Store, task: str) -> None:
    grant = store.tasks.acquire(task, worker="01", host="there", ttl=60, session="s")
    assert isinstance(grant, Grant)
    outcome = Outcome(kind=OutcomeKind.SUCCEEDED, reason="done", message="1 commit", pr=PULL)
    ended(store, task, grant.fence, outcome)


def shown(cw: Cw, typed: str) -> str:
    done = cw("show", typed, "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["task"])


def test_every_way_to_name_a_task_leads_to_it(cw: Cw, store: Store) -> None:
    record(store, 8, at=5000)
    task = record(store, 7)

    for typed in (
        task,
        task.lower(),
        task[:8],
        task[:8].lower(),
        task[:13],
        "#7",
        "acme/app#7",
        "Acme/App#7",
        "https://github.com/acme/app/issues/7",
        "https://github.com/acme/app/issues/7#issuecomment-12",
    ):
        assert shown(cw, typed) == task, typed


def test_finished_task_is_found_by_its_issue_and_by_its_pull_request(cw: Cw, store: Store) -> None:
    task = record(store, 7)
    finish(store, task)

    for typed in ("#7", "acme/app#7", "#31", "acme/app#31", PULL, f"{PULL}/files", task[:8]):
        assert shown(cw, typed) == task, typed


def test_newer_task_of_an_issue_is_meant(cw: Cw, store: Store) -> None:
    finish(store, record(store, 7))
    again = record(store, 7, at=60_000)

    assert shown(cw, "#7") == again


def test_what_may_be_several_names_them_and_changes_nothing(cw: Cw, store: Store) -> None:
    mine, other = record(store, 7), record(store, 7, repo="acme/site", at=1)

    for typed in ("#7", mine[:6]):
        done = cw("cancel", typed)

        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert mine in done.stderr
        assert other in done.stderr
    assert len(store.tasks.open_tasks()) == 2


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("#99", "no task here has #99"),
        ("acme/app#99", "no task here has acme/app#99"),
        ("01HZ", "no task's id begins with 01HZ"),
        ("https://github.com/acme/app", "is no issue or pull request"),
        ("https://github.com/acme/app/pull/99", "no task here has acme/app#99"),
        ("#0", "is not a worker id"),
        ("https://[", "is no issue or pull request"),
    ],
)
@pytest.mark.parametrize(
    "command", ["show", "watch", "stop", "restart", "reset", "diff", "history"]
)
def test_what_means_nothing_is_refused_in_one_line(
    cw: Cw, store: Store, command: str, typed: str, said: str
) -> None:
    done = cw(command, typed)

    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["show", "watch", "stop", "restart", "reset", "diff"])
@pytest.mark.parametrize("typed", ["nobody", "face"])
def test_what_is_neither_worker_nor_task_is_no_worker(cw: Cw, command: str, typed: str) -> None:
    done = cw(command, typed)

    assert done.returncode == 2
    assert f"there is no worker {typed}" in done.stderr


def test_worker_whose_name_could_begin_an_id_is_the_worker(cw: Cw, store: Store) -> None:
    task = record(store, 7)
    store.fleet.register_worker(Worker(id=task[:8].lower(), host="there", home="/nowhere/x"))

    done = cw("show", task[:8].lower())

    assert done.returncode == 1
    assert f"worker {task[:8].lower()} has no task" in done.stderr


def test_short_ids_are_as_long_as_they_must_be() -> None:
    first, twin, later = (
        new_task_id(BORN, lambda _: 0),
        new_task_id(BORN, lambda _: 1),
        new_task_id(BORN + 10_000, lambda _: 0),
    )

    assert shortest(first, [first, later]) == first[:SHORT]
    assert shortest(first, [first, twin, later]) == first


def test_printed_ids_can_be_typed(cw: Cw, store: Store, git_repo: Path) -> None:
    done = cw("dispatch", "-r", str(git_repo), "-p", "Do it")
    short = done.stdout.split()[0]

    assert len(short) < 26
    assert f"cw watch {short}" in done.stdout
    assert shown(cw, short) == store.tasks.open_tasks()[0].spec.id


def test_what_a_person_is_told_to_type_has_short_ids_and_programs_get_whole_ones(
    cw: Cw, store: Store
) -> None:
    """Of tasks that failed, are held, stopped, wait and are done."""
    store.fleet.register_worker(Worker(id="02", host="there", home="/nowhere/02"))
    failed, held, stopped = (record(store, one, at=one * 60_000) for one in (7, 8, 9))
    bad = Outcome(kind=OutcomeKind.FAILED, reason="no_changes", message="nothing")
    ways = {
        failed: (bad, Move.FINISH),
        held: (
            bad.model_copy(
                update={
                    "kind": OutcomeKind.DEFERRED,
                    "reason": "github_away",
                    "retry_at": store.tasks.now() + timedelta(hours=1),
                }
            ),
            Move.HOLD,
        ),
        stopped: (bad.model_copy(update={"kind": OutcomeKind.STOPPED}), Move.STOP),
    }
    for task, (outcome, move) in ways.items():
        worker = "02" if task == held else "01"
        grant = store.tasks.acquire(task, worker=worker, host="there", ttl=60, session="s")
        assert isinstance(grant, Grant)
        ended(store, task, grant.fence, outcome, move, worker)
    waits = record(store, 10, at=600_000)

    for words in (
        ("status",),
        (),
        ("queue",),
        *(("show", one) for one in (failed, held, stopped, waits)),
        ("inspect", failed),
        ("watch", stopped),
        ("restart", failed),
        ("stop", failed),
        ("reset", failed),
        ("cancel", waits),
        ("status", waits),
    ):
        done = cw(*words)
        text = [one for one in (done.stdout + done.stderr).splitlines() if "cw " in one]
        assert not re.search(r"cw \w+ [0-9A-Z]{26}", "\n".join(text)), (words, text)
        assert done.returncode in {0, 1, 2}, done.stderr
    ids = [
        one for row in ("held", "stuck") for one in json.loads(cw("status", "--json").stdout)[row]
    ]
    assert {one["about"]["task"] for one in ids} == {held, stopped}
    assert all(one["about"]["task"] in one["next"] for one in ids)


def test_several_issues_are_several_tasks(cw: Cw, store: Store, git_repo: Path) -> None:
    done = cw("dispatch", "-r", str(git_repo), "-i", "9", "-i", "3..5", "-p", "Do it", "--json")

    assert done.returncode == 0, done.stderr
    assert [one["issue"] for one in json.loads(done.stdout)] == [9, 3, 4, 5]
    assert sorted(one.spec.issue or 0 for one in store.tasks.open_tasks()) == [3, 4, 5, 9]


def test_issue_that_somebody_has_does_not_keep_back_the_others(
    cw: Cw, store: Store, git_repo: Path
) -> None:
    cw("dispatch", "-r", str(git_repo), "-i", "4", "-p", "Do it")

    done = cw("dispatch", "-r", str(git_repo), "-i", "3..5", "-p", "Do it")

    assert done.returncode == 3
    assert "#4 was not dispatched" in done.stderr
    assert sorted(one.spec.issue or 0 for one in store.tasks.open_tasks()) == [3, 4, 5]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["-i", "3", "-i", "3"], "was given twice"),
        (["-i", "5..3"], "is not a range"),
        (["-i", "1..9999"], "is not a range"),
        (["-i", "three"], "is not an issue number"),
        (["-i", "acme/app#3"], "cannot go into one dispatch"),
        (["-p", "a", "-p", "b"], "--prompt was given more than once"),
        (["-i", "3", "-m", "opus", "-m", "sonnet"], "--model was given more than once"),
        (["-i", "3", "-w", "01", "--worker", "02"], "--worker was given more than once"),
    ],
)
def test_what_cannot_be_repeated_or_read_says_so(
    cw: Cw, store: Store, git_repo: Path, args: list[str], said: str
) -> None:
    done = cw("dispatch", "-r", str(git_repo), *args)

    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not store.tasks.open_tasks()


def test_range_with_a_dash_is_no_worker(cw: Cw) -> None:
    done = cw("init", "01-04")

    assert done.returncode == 2
    assert "Use 01..04" in done.stderr
