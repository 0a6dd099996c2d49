"""`cw dispatch` and its neighbours as installed commands against a real server."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cw.fleet_models import Host, Worker
from cw.models import Event, Outcome
from cw.states import Move, OutcomeKind, State
from cw.store.lease_values import Grant, Holder, Settlement
from cw.store.store import Store
from tests.waiting import wait_until

Cw = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = str(Path(sys.executable).with_name("cw"))


@pytest.fixture(autouse=True)
def broker(cw_environ: dict[str, str], redis_url: str) -> None:
    cw_environ["CW_BROKER_URL"] = redis_url


@pytest.fixture
def fleet(store: Store) -> Store:
    """Workers 01 and 02 on a host that is up."""
    for one in ("01", "02"):
        store.fleet.register_worker(Worker(id=one, host="here", home=f"/nowhere/{one}"))
    store.fleet.beat(Host(name="here", workers=2), store.tasks.now())
    return store


def dispatched(cw: Cw, repo: Path, *args: str) -> dict[str, Any]:
    done = cw("dispatch", "-r", str(repo), "--json", *args)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def run_it(store: Store, task: str, worker: str = "01") -> Grant:
    grant = store.tasks.acquire(task, worker=worker, host="here", ttl=60, session="s")
    assert isinstance(grant, Grant)
    return grant


def finish(store: Store, grant: Grant, move: Move, outcome: Outcome, worker: str = "01") -> None:
    assert store.tasks.settle(
        Holder(grant.task_id, worker, grant.fence),
        Settlement(move, outcome),
    )


def test_dispatch_records_the_task_and_hints_its_worker(
    cw: Cw, fleet: Store, git_repo: Path
) -> None:
    found = dispatched(cw, git_repo, "-i", "7", "-w", "01", "-p", "Fix\nit", "-m", "opus")

    assert found | {"task": ""} == {
        "task": "",
        "repo": str(git_repo),
        "issue": 7,
        "branch": "issue-7",
        "worker": "01",
        "model": "opus",
        "state": "queued",
        "place": 1,
        "why": "",
        "next": "",
        "queue": "worker.01",
    }
    task = fleet.tasks.get(found["task"])
    assert task is not None
    assert task.state is State.QUEUED
    assert task.spec.title == "Fix"
    assert task.hinted_at is not None
    assert fleet.tasks.prompt(found["task"]) == "Fix\nit"
    message = json.loads(fleet.connection.client.lindex("worker.01", 0))
    assert message["headers"]["id"] == found["task"]
    assert message["headers"]["argsrepr"] == "app#7 · opus"


def test_person_is_told_who_takes_it_and_what_to_type(cw: Cw, fleet: Store, git_repo: Path) -> None:
    done = cw("dispatch", "-r", "./app", "-p", "Fix it", "-w", "02")

    assert done.returncode == 0
    first, second = done.stdout.splitlines()
    task = first.split()[0]
    assert first == f"{task} app → worker 02, starts now"
    assert second == f"Follow it with: cw watch {task}"
    assert done.stderr == ""


def test_prompt_comes_from_a_pipe_unchanged(cw: Cw, fleet: Store, git_repo: Path) -> None:
    text = "Zeile 1\n\tZeile 2 — ½ 😀\n"

    done = cw("dispatch", "-r", str(git_repo), "--json", stdin=text)

    assert fleet.tasks.prompt(json.loads(done.stdout)["task"]) == text


def test_open_pipe_beside_an_issue_is_neither_read_nor_waited_for(
    cw_environ: dict[str, str], fleet: Store, git_repo: Path
) -> None:
    reader, writer = os.pipe()
    try:
        done = subprocess.run(
            [COMMAND, "dispatch", "-r", str(git_repo), "-i", "1", "-p", "x"],
            stdin=reader,
            env=cw_environ,
            timeout=30,
            check=False,
        )
    finally:
        os.close(reader)
        os.close(writer)

    assert done.returncode == 0


def test_without_a_host_the_task_waits_and_says_so(cw: Cw, store: Store, git_repo: Path) -> None:
    store.fleet.register_worker(Worker(id="01", host="here"))
    silent = store.tasks.now() - timedelta(minutes=5)
    store.fleet.beat(Host(name="here"), silent)

    done = cw("dispatch", "-r", str(git_repo), "-p", "x")

    assert done.returncode == 0
    assert "place 1 in line" in done.stdout
    assert done.stderr == (
        "cw: warning: no host is running, so nothing starts yet. Start one with: cw up\n"
    )


def test_second_dispatch_of_an_issue_names_the_first_and_exits_3(
    cw: Cw, fleet: Store, git_repo: Path
) -> None:
    first = dispatched(cw, git_repo, "-i", "7", "-p", "x")

    done = cw("dispatch", "-r", str(git_repo), "-i", "7", "-p", "x", "--json")

    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr == (
        f"cw: app#7 already has task {first['task']}, which is queued in the pool. See: cw status\n"
    )


def test_twenty_dispatches_at_once_make_one_task(
    cw_environ: dict[str, str], fleet: Store, git_repo: Path
) -> None:
    argv = [COMMAND, "dispatch", "-r", str(git_repo), "-i", "22", "-p", "x", "--json"]
    started = [
        subprocess.Popen(
            argv,
            env=cw_environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(20)
    ]
    ended = [(*one.communicate(timeout=90), one.returncode) for one in started]

    codes = sorted(code for _, _, code in ended)
    assert codes == [0] + [3] * 19
    winner = next(json.loads(out) for out, _, code in ended if code == 0)
    assert [one.spec.id for one in fleet.tasks.open_tasks()] == [winner["task"]]
    assert fleet.connection.client.llen("workers") == 1
    assert all(winner["task"] in err for _, err, code in ended if code == 3)
    assert all(err.count("\n") == 1 for _, err, code in ended if code == 3)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["-p", "x", "-w", "99"], "there is no worker 99. Known: 01, 02. Make it with: cw init 99"),
        (["-p", "x", "-w", "../../etc"], "'../../etc' is not a worker id"),
        (["-p", "x", "-i", "abc"], "'abc' is not an issue number"),
        (["-p", "x", "-m", "gpt"], "'gpt' is not a model"),
        (["-p", " "], "the prompt is empty"),
        (["-i", "7"], "has no issues to read"),
        ([], "nothing to do"),
    ],
)
def test_bad_input_is_one_line_exit_2_and_no_change(
    cw: Cw, fleet: Store, git_repo: Path, args: list[str], says: str
) -> None:
    before = sorted(fleet.connection.client.keys())

    done = cw("dispatch", "-r", str(git_repo), *args)

    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert sorted(fleet.connection.client.keys()) == before


def test_init_registers_the_workers(cw: Cw, store: Store, cw_environ: dict[str, str]) -> None:
    done = cw("init", "01..03", "docs", "--json", GH_TOKEN="secret-1")

    rows = json.loads(done.stdout)
    assert [one["worker"] for one in rows] == ["01", "02", "03", "docs"]
    assert all(one["registered"] for one in rows)
    assert rows[0]["tokens"] == ["GH_TOKEN"]
    assert "secret-1" not in done.stdout + done.stderr
    known = {one.id: one for one in store.fleet.workers()}
    assert sorted(known) == ["01", "02", "03", "docs"]
    assert known["docs"].host == "here"
    assert known["docs"].home == f"{cw_environ['CW_WORKERS_ROOT']}/docs"


def test_status_tells_busy_waiting_held_and_crashed(cw: Cw, fleet: Store, git_repo: Path) -> None:
    busy = dispatched(cw, git_repo, "-i", "1", "-w", "01", "-p", "First\x1b[31m thing")["task"]
    run_it(fleet, busy)
    event = Event(at=fleet.tasks.now(), kind="tool", text="Bash: ls", data={"turns": 3})
    fleet.events.append(busy, [event])
    dispatched(cw, git_repo, "-i", "2", "-w", "01", "-p", "Second")
    held = dispatched(cw, git_repo, "-i", "3", "-w", "02", "-p", "Third")["task"]
    until = fleet.tasks.now() + timedelta(hours=1)
    limit = Outcome(
        kind=OutcomeKind.DEFERRED, reason="usage_limit", message="the limit", retry_at=until
    )
    finish(fleet, run_it(fleet, held, "02"), Move.HOLD, limit, "02")

    text, data = cw("status"), json.loads(cw("status", "--json").stdout)

    assert text.returncode == 0, text.stderr
    assert "\x1b" not in text.stdout
    assert [(one["worker"], one["state"]) for one in data["workers"]] == [
        ("01", "busy"),
        ("02", "held"),
    ]
    assert data["workers"][0]["turns"] == 3
    assert data["workers"][0]["last"] == "Bash: ls"
    assert [(one["place"], one["reason"]) for one in data["waiting"]] == [
        (1, "worker 01 is busy with app#1")
    ]
    assert [one["reason"] for one in data["held"]] == ["the limit"]
    assert "02 → goes on by itself\n" in text.stdout  # to restart it before that could not help


def test_status_of_one_worker_and_of_an_unknown_one(cw: Cw, fleet: Store) -> None:
    known, unknown = cw("status", "02", "--json"), cw("status", "77")

    assert [one["worker"] for one in json.loads(known.stdout)["workers"]] == ["02"]
    assert unknown.returncode == 2
    hint = "Known: 01, 02. Make it with: cw init 77"
    assert unknown.stderr == f"cw: there is no worker 77. {hint}\n"


def test_watch_ends_with_the_outcome(
    request: pytest.FixtureRequest,
    cw: Cw,
    cw_environ: dict[str, str],
    fleet: Store,
    git_repo: Path,
    tmp_path: Path,
) -> None:
    task = dispatched(cw, git_repo, "-i", "1", "-w", "01", "-p", "x")["task"]
    seen = tmp_path / "seen"
    with seen.open("wb") as out:
        watching = subprocess.Popen([COMMAND, "watch", "01"], stdout=out, env=cw_environ)
    request.addfinalizer(watching.kill)
    wait_until(lambda: "queued for worker 01" in seen.read_text("utf-8"), what="the queue")
    grant = run_it(fleet, task)
    wait_until(lambda: "running on worker 01" in seen.read_text("utf-8"), what="the run")
    at = fleet.tasks.now() + timedelta(seconds=5)
    fleet.events.append(task, [Event(at=at, kind="text", text="I am\x1b]0;evil\x07 here")])
    wait_until(lambda: "I am here\n" in seen.read_text("utf-8"), what="the event")
    outcome = Outcome(
        kind=OutcomeKind.SUCCEEDED, reason="pushed", message="ok", commits=2, turns=4, cost_usd=1.5
    )
    finish(fleet, grant, Move.FINISH, outcome)

    assert watching.wait(20) == 0
    assert seen.read_text("utf-8").splitlines()[-1].startswith("succeeded: ok (2 commits,")


def test_interrupt_leaves_watching_quietly_and_the_task_alone(
    request: pytest.FixtureRequest,
    cw: Cw,
    cw_environ: dict[str, str],
    fleet: Store,
    git_repo: Path,
    tmp_path: Path,
) -> None:
    task = dispatched(cw, git_repo, "-p", "x")["task"]
    seen = tmp_path / "seen"
    with seen.open("wb") as out:
        watching = subprocess.Popen(
            [COMMAND, "watch", task], stdout=out, stderr=subprocess.PIPE, env=cw_environ
        )
    request.addfinalizer(watching.kill)
    wait_until(lambda: "queued" in seen.read_text("utf-8"), what="the queue")

    watching.send_signal(signal.SIGINT)
    _, complaint = watching.communicate(timeout=20)

    assert (watching.returncode, complaint) == (130, b"")
    record = fleet.tasks.get(task)
    assert record is not None
    assert record.state is State.QUEUED


def test_watch_as_json_is_one_object_a_line_and_tells_failure(
    cw: Cw, fleet: Store, git_repo: Path
) -> None:
    task = dispatched(cw, git_repo, "-p", "x")["task"]
    grant = run_it(fleet, task)
    fleet.events.append(task, [Event(at=fleet.tasks.now(), kind="text", text="hm")])
    failed = Outcome(kind=OutcomeKind.FAILED, reason="no_change", message="nothing was changed")
    finish(fleet, grant, Move.FINISH, failed)

    done = cw("watch", task.lower(), "--json")

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["type"] for one in lines] == ["event", "task"]
    assert lines[-1]["outcome"]["reason"] == "no_change"
    assert done.returncode == 1


def test_logs_of_another_machine_come_from_the_store(cw: Cw, fleet: Store, git_repo: Path) -> None:
    task = dispatched(cw, git_repo, "-w", "01", "-p", "x")["task"]
    run_it(fleet, task)
    fleet.events.append(task, [Event(at=fleet.tasks.now(), kind="tool", text="Bash: ls")])

    by_worker, by_task = cw("logs", "01"), cw("logs", task)

    assert by_worker.stdout == by_task.stdout == "  → Bash: ls\n"
    assert "the log lies on host here" in by_worker.stderr


def test_history_is_newest_first_and_filters(cw: Cw, fleet: Store, git_repo: Path) -> None:
    for number, worker in ((1, "01"), (2, "02")):
        task = dispatched(cw, git_repo, "-i", str(number), "-p", "x")["task"]
        failed = Outcome(kind=OutcomeKind.FAILED, reason="api", message="the API said 500")
        finish(fleet, run_it(fleet, task, worker), Move.FINISH, failed, worker)

    everything = json.loads(cw("history", "--json").stdout)
    one = json.loads(cw("history", "01", "--json").stdout)
    text = cw("history", "--limit", "1").stdout

    assert [row["label"] for row in everything] == ["app#2", "app#1"]
    assert [row["worker"] for row in one] == ["01"]
    assert "the API said 500" in text
    assert "app#1" not in text


@pytest.mark.parametrize(
    "args", [["status"], ["watch", "01"], ["dispatch", "-r", "app", "-p", "x"]]
)
def test_broker_away_is_one_line_and_exit_4(
    cw: Cw, git_repo: Path, tmp_path: Path, args: list[str]
) -> None:
    argv = ["./app" if one == "app" else one for one in args]

    done = cw(*argv, "--json", CW_BROKER_URL=f"unix://{tmp_path}/none")

    assert done.returncode == 4
    assert done.stdout == ""
    assert done.stderr.startswith("cw: the broker does not answer")
    assert done.stderr.count("\n") == 1


def test_doctor_names_what_is_missing_and_never_a_token(cw: Cw, store: Store) -> None:
    logins = {"CLAUDE_CODE_OAUTH_TOKEN": "secret-1", "ANTHROPIC_API_KEY": "secret-2"}
    cw("init", "01", **logins, ANTHROPIC_BASE_URL="http://127.0.0.1:9")

    done = cw("doctor", "--json", CW_CLAUDE="/nonexistent/claude")

    checks = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    assert checks["claude"]["state"] == "fail"
    assert checks["broker"]["state"] == "ok"
    assert checks["host"] == {
        "name": "host",
        "state": "warn",
        "text": "none is running on here",
        "fix": "cw up",
        "worker": "",
    }
    assert "the API key wins" in checks["worker 01 tokens"]["text"]
    assert checks["worker 01 files"]["state"] == "ok"
    assert "secret" not in done.stdout + done.stderr
