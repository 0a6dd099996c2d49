"""`cw status` as it is met: what moves and what does not comes first, what failed stays until it
was seen, and a small terminal cuts nothing that matters.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from cw.fleet_models import HOST, Host, Worker
from cw.models import Outcome, Task
from cw.states import Move, OutcomeKind
from cw.store import keys
from cw.store.clock import epoch_ms
from cw.store.lease_values import Grant, Holder, Settlement
from cw.store.store import Store
from tests.making import make_spec
from tests.terminal import Terminal, plain

Cw = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def broker(cw_environ: dict[str, str], redis_url: str) -> None:
    cw_environ["CW_BROKER_URL"] = redis_url


def workers(store: Store, *ids: str, host: str = "there") -> None:
    for one in ids:
        store.fleet.register_worker(Worker(id=one, host=host, home=f"/nowhere/{one}"))
    store.fleet.beat(Host(name=host, workers=len(ids)), store.tasks.now())


def run(store: Store, worker: str, issue: int, repo: str = "acme/app") -> Task:
    """The worker runs a task."""
    spec = make_spec(repo=repo, issue=issue, wanted_worker=worker, created_at=store.tasks.now())
    store.tasks.create(spec, "Do it")
    grant = store.tasks.acquire(spec.id, worker=worker, host="there", ttl=60, session="s")
    assert isinstance(grant, Grant)
    found = store.tasks.get(spec.id)
    assert found is not None
    return found


def end(
    store: Store,
    task: Task,
    move: Move = Move.FINISH,
    kind: OutcomeKind = OutcomeKind.FAILED,
    reason: str = "no_changes",
    message: str = "the agent ended without a commit",
    pr: str = "",
) -> None:
    outcome = Outcome(kind=kind, reason=reason, message=message, cost_usd=0.5, turns=3, pr=pr)
    assert store.tasks.settle(
        Holder(task.spec.id, task.worker or "", task.fence),
        Settlement(move, outcome),
    )


def on_terminal(env: dict[str, str], *words: str, columns: int = 80) -> str:
    with Terminal(env, *words, columns=columns) as terminal:
        assert terminal.finish() == 0, terminal.text
    return plain(terminal.text)


def test_what_works_and_what_does_not_move_comes_before_the_idle(
    cw: Cw, cw_environ: dict[str, str], store: Store
) -> None:
    workers(store, *(f"{one:02}" for one in range(1, 31)))
    end(store, run(store, "27", 7), Move.LOSE)
    run(store, "29", 8)

    shown = on_terminal(cw_environ, "status").splitlines()

    assert [one.split()[0] for one in shown[1:3]] == ["29", "27"]
    assert shown[3] == "28 idle: 01..26 28 30"
    everything = cw("status").stdout.splitlines()
    assert [one.split()[0] for one in everything[1:5]] == ["29", "27", "01", "02"]
    assert len([one for one in everything if " idle" in one]) == 28


def test_ten_idle_workers_have_a_line_each(cw_environ: dict[str, str], store: Store) -> None:
    workers(store, *(f"{one:02}" for one in range(1, 11)))

    assert on_terminal(cw_environ, "status").count("idle") == 10


def test_idle_workers_take_one_line_however_many(cw_environ: dict[str, str], store: Store) -> None:
    names = [f"{letter}{number}" for letter in "abcdefgh" for number in range(6)]
    workers(store, *names)

    shown = on_terminal(cw_environ, "status").splitlines()

    assert shown[0].startswith("48 idle: a0 a1")
    assert shown[0].endswith("… (all: cw status | cat)")
    assert len(shown[0]) <= 80


def test_paused_workers_stand_under_not_moving_whole(
    cw_environ: dict[str, str], store: Store
) -> None:
    workers(store, "01", "02")
    why = "others may use /srv/workers/01/.zshenv: chmod -R go= /srv/workers/01, then: cw resume 01"
    store.fleet.pause("01", why, by=HOST)
    store.fleet.pause("02", "a new disk")

    text = on_terminal(cw_environ, "status")

    below = " ".join(text.partition("Not moving")[2].split())
    assert "chmod -R go=" in below
    assert "then: cw resume 01" in below
    assert "02 → cw resume 02" in below
    assert below.count("cw resume 01") == 1
    assert "…" not in below


@pytest.mark.parametrize("columns", [50, 60, 80])
def test_small_terminal_cuts_no_word_that_matters(
    cw_environ: dict[str, str], store: Store, columns: int
) -> None:
    workers(store, "01", "02", "03")
    run(store, "01", 4711, "some-organisation/application")
    end(store, run(store, "02", 22, "some-organisation/application"), Move.LOSE)
    spec = make_spec(repo="acme/app", issue=5, wanted_worker="01", created_at=store.tasks.now())
    store.tasks.create(spec, "Do it")

    text = on_terminal(cw_environ, "status", columns=columns)

    assert max(map(len, text.splitlines())) <= columns
    for word in ("worker", "state", "task", "busy", "crashed", "#4711", "#22", "acme/app#5"):
        assert word in text
    assert "01" in text
    waits = " ".join(text.partition("Waiting")[2].partition("Not moving")[0].split())
    assert "is busy with" in waits or columns == 50


def test_hosts_are_shown_as_soon_as_there_are_two(
    cw: Cw, cw_environ: dict[str, str], store: Store
) -> None:
    workers(store, "01")
    assert "there" not in cw("status").stdout

    workers(store, "02", host="attic")

    for text in (
        cw("status").stdout,
        *(on_terminal(cw_environ, "status", columns=n) for n in (50, 80)),
    ):
        assert "host" in text.splitlines()[0]
        assert "there" in text
        assert "attic" in text


def test_failure_and_question_stay_until_they_were_seen(cw: Cw, store: Store) -> None:
    workers(store, "01", "02")
    failed, asked = run(store, "01", 7), run(store, "02", 8)
    end(store, failed)
    end(store, asked, reason="blocked", message="the agent asks: which rounding?")

    text = cw("status").stdout

    assert "Failed or asking (2)" in text
    assert "the agent ended without a commit" in text
    assert "cw dispatch -i acme/app#7" in text
    assert "which rounding?" in text
    assert "/acme/app/issues/8, remove the label blocked, then: cw dispatch -i acme/app#8" in text
    assert "Today: 0 done, 2 failed, $1.00" in text

    said = cw("seen", "#7")

    assert "acme/app#7 is off cw status" in said.stdout
    assert "Failed or asking (1)" in cw("status").stdout
    assert cw("seen", "02").returncode == 0
    assert "Failed or asking" not in cw("status").stdout
    assert "Today: 0 done, 2 failed, $1.00" in cw("status").stdout


def test_new_dispatch_of_the_issue_takes_a_failure_off(cw: Cw, store: Store) -> None:
    workers(store, "01", "02")
    end(store, run(store, "01", 7))

    again = run(store, "02", 7)

    assert "Failed or asking" not in cw("status").stdout
    end(store, again, kind=OutcomeKind.SUCCEEDED, reason="done", message="1 commit pushed")
    text = cw("status").stdout
    assert "Failed or asking" not in text
    assert "Today: 1 done, 1 failed, $1.00" in text


def test_a_day_takes_a_failure_off(cw: Cw, store: Store) -> None:
    workers(store, "01")
    task = run(store, "01", 7)
    end(store, task)
    ago(store, task, store.tasks.now() - timedelta(hours=23, minutes=59))
    assert "Failed or asking (1)" in cw("status").stdout

    ago(store, task, store.tasks.now() - timedelta(days=1, minutes=1))

    assert "Failed or asking" not in cw("status").stdout


def ago(store: Store, task: Task, at: datetime) -> None:
    client = store.connection.client
    client.hset(keys.task(task.spec.id), "ended_at", epoch_ms(at))
    client.zadd(keys.DONE, {task.spec.id: epoch_ms(at)})


def test_what_a_person_ended_is_no_failure(cw: Cw, store: Store) -> None:
    workers(store, "01")
    end(store, run(store, "01", 7), Move.STOP, OutcomeKind.STOPPED, "stopped", "by a person")

    assert cw("reset", "01").returncode == 0
    assert "Failed or asking" not in cw("status").stdout


def test_terminal_breaks_no_command_that_is_to_be_typed(
    cw_environ: dict[str, str], store: Store
) -> None:
    workers(store, "01")
    task = run(store, "01", 7)
    end(store, task)
    short = task.spec.id[:8]

    narrow, wide = (on_terminal(cw_environ, "status", columns=one) for one in (76, 160))

    shown = [one.strip() for one in narrow.splitlines()]
    assert f"acme/app#7 → cw show {short}" in shown
    assert "again: cw dispatch -i acme/app#7" in shown
    assert f"or: cw seen {short}" in shown
    assert f"cw show {short}; again: cw dispatch -i acme/app#7; or: cw seen {short}" in wide


def test_seen_says_what_it_cannot_do(cw: Cw, store: Store) -> None:
    workers(store, "01")

    assert cw("seen").returncode == 2
    assert cw("seen", "01", "--all").returncode == 2
    nothing = cw("seen", "01")
    assert nothing.returncode == 2
    assert nothing.stderr == "cw: nothing of 01 waits to be seen. See: cw status\n"
    assert cw("seen", "--all").stdout == "Nothing waits to be seen\n"
    end(store, task := run(store, "01", 9), kind=OutcomeKind.SUCCEEDED)
    assert "nothing of acme/app#9 waits" in cw("seen", "acme/app#9").stderr
    assert cw("history", "nobody").returncode == 2
    assert task.spec.id in cw("history", "01", "--json").stdout


def test_seen_as_json_names_them(cw: Cw, store: Store) -> None:
    workers(store, "01")
    task = run(store, "01", 7)
    end(store, task)

    (row,) = json.loads(cw("seen", "--all", "--json").stdout)

    assert row["about"]["task"] == task.spec.id
    assert row["state"] == "failed"


def test_cw_alone_shows_them_too(cw: Cw, store: Store) -> None:
    workers(store, "01")
    end(store, run(store, "01", 7))

    assert "Failed or asking (1)" in cw().stdout


URL = "https://github.example/acme-and-sons-international/application/pull/4711"


@pytest.mark.parametrize("columns", [50, 80, 132])
def test_link_is_never_cut_and_leads_there_from_each_line(
    cw_environ: dict[str, str], store: Store, columns: int
) -> None:
    workers(store, "01")
    task = run(store, "01", 7)
    end(store, task, kind=OutcomeKind.SUCCEEDED, reason="done", pr=URL)

    with Terminal(cw_environ, "history", columns=columns) as terminal:
        assert terminal.finish() == 0

    lines = plain(terminal.text).splitlines()
    column = lines[0].index("result")
    shown = [re.sub(r"\x1b\]8;.*?\x1b\\", "", one) for one in lines]
    assert "".join(one[column:].strip() for one in shown[1:]) == URL
    assert max(map(len, shown)) <= columns
    assert f";{URL}\x1b\\" in terminal.text


def test_pipe_gets_no_terminals_links(cw: Cw, store: Store) -> None:
    workers(store, "01")
    end(store, run(store, "01", 7), kind=OutcomeKind.SUCCEEDED, reason="done", pr=URL)

    assert f"{URL}\n" in cw("history").stdout
    assert "\x1b" not in cw("history").stdout


def test_queue_fits_a_small_terminal_and_names_tasks_as_they_are_typed(
    cw: Cw, cw_environ: dict[str, str], store: Store
) -> None:
    workers(store, "01")
    run(store, "01", 7)
    spec = make_spec(issue=8, wanted_worker="01", created_at=store.tasks.now())
    store.tasks.create(spec, "Do it")

    row = on_terminal(cw_environ, "queue", columns=50).splitlines()[2]

    short = row.split()[1]
    assert spec.id.startswith(short)
    assert len(short) < 26
    assert "acme/app#8" in row
    assert "queued" in row
    assert json.loads(cw("show", short, "--json").stdout)["task"] == spec.id
