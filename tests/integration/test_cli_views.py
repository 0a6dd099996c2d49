"""The viewing commands, installed, against a real server: `here` has no HOMEs, so all they know is
what the records hold.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cw.fleet_models import Host, Worker
from cw.models import Event, Outcome
from cw.operations.fleet.references import SHORT
from cw.states import Move, OutcomeKind
from cw.store.store import Store
from tests.ending import ended
from tests.integration.viewing import (
    EVIL,
    PROMPT,
    Cw,
    dispatched,
    run_it,
    talking,
    tool,
    two_workers,
)
from tests.making import make_spec
from tests.terminal import COLUMNS, LINES, Terminal, plain

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.fixture(autouse=True)
def broker(cw_environ: dict[str, str], redis_url: str) -> None:
    cw_environ["CW_BROKER_URL"] = redis_url


@pytest.fixture
def fleet(store: Store) -> Store:
    return two_workers(store)


@pytest.fixture
def task(cw: Cw, fleet: Store, git_repo: Path) -> str:
    return talking(cw, fleet, git_repo)


def finish(
    store: Store, task: str, kind: OutcomeKind, worker: str = "01", move: Move = Move.FINISH
) -> None:
    record = store.tasks.get(task)
    assert record is not None
    outcome = Outcome(
        kind=kind, reason="done", message="1 commit pushed", commits=1, turns=4, cost_usd=0.5
    )
    ended(store, task, record.fence, outcome, move, worker)


def valid(name: str, value: Any) -> Any:
    """As docs/schemas/<name>.json says."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)
    return value


def test_inspect_shows_the_newest_lines_without_controls(cw: Cw, task: str) -> None:
    assert cw("inspect", "01").stdout.splitlines() == [
        "● claude-x in /w",
        "Let me see.",
        "First the tests.",
        "  ☐ TaskCreate: x",
        "    Task #1 created successfully: Look",
        "  ☐ TaskUpdate: x",
        "  → Bash: make test",
    ]
    assert cw("inspect", task.lower(), "2").stdout.splitlines() == [
        "  ☐ TaskUpdate: x",
        "  → Bash: make test",
    ]


def test_inspect_as_json_is_one_event_a_line_and_obeys_no_terminal(cw: Cw, task: str) -> None:
    done = cw("inspect", "01", "6", "--json")

    lines = [valid("inspect", json.loads(line)) for line in done.stdout.splitlines()]
    assert [one["kind"] for one in lines] == ["text", "todo", "result", "todo", "tool", "result"]
    assert lines[0]["text"].endswith(f"{EVIL}First the tests.")
    assert "\x1b" not in done.stdout
    assert "\x9b" not in done.stdout


def test_inspect_of_silence_says_why(cw: Cw, fleet: Store, git_repo: Path) -> None:
    task = dispatched(cw, git_repo, "-p", "x", "-w", "02")

    assert "see: cw queue" in cw("inspect", "02").stderr
    run_it(fleet, task, "02")
    assert "prepares its run" in cw("inspect", "02").stderr


def test_todos_come_from_what_the_agent_said(cw: Cw, task: str) -> None:
    text, data = cw("todos"), cw("todos", "01", "--json")

    assert text.stdout == "01 · app#22 · Fix it (running)\n  [~] Look\n"
    (found,) = valid("todos", json.loads(data.stdout))
    assert [(one["number"], one["status"]) for one in found["todos"]] == [(1, "in_progress")]


def test_todos_the_stream_no_longer_has_say_that_their_host_is_away(
    cw: Cw, fleet: Store, task: str
) -> None:
    lost = tool("TaskUpdate", taskId="7", status="completed", at=fleet.tasks.now())
    fleet.events.append(task, [lost])

    done = cw("todos", "01")

    assert done.stdout.splitlines()[1:] == ["  [~] Look", "  [x] point 7"]
    assert "host there is not up" in done.stderr


def test_todos_without_a_busy_worker(cw: Cw, fleet: Store) -> None:
    assert cw("todos").stdout == "No worker is busy. See: cw status\n"
    assert json.loads(cw("todos", "--json").stdout) == []


def test_show_tells_what_the_records_hold_and_that_the_host_is_away(cw: Cw, task: str) -> None:
    text, data = cw("show", task), valid("show", json.loads(cw("show", "01", "--json").stdout))

    assert text.returncode == 0
    assert "\x1b" not in text.stdout
    assert f"prompt     {len(PROMPT.encode())} bytes\n    Fix it\n    all of it\n" in text.stdout
    assert f"next: cw watch {task[:SHORT]}\n" in text.stdout
    assert text.stderr == "cw: host there is not up; this is what the records hold\n"
    assert (data["state"], data["worker"], data["host"]) == ("running", "01", "there")
    (attempt,) = data["attempts"]
    assert (attempt["session"], attempt["turns"], attempt["cost_usd"]) == ("s-1", 3, None)
    assert [one["what"].split(" on ")[0] for one in data["timeline"]] == [
        f"queued for worker 01 by {data['request']['by']}",
        "attempt 1 began",
        "agent began: claude-x in /w",
    ]


def test_show_of_a_finished_task_has_its_outcome_cost_and_what_to_type(
    cw: Cw, fleet: Store, task: str, git_repo: Path
) -> None:
    finish(fleet, task, OutcomeKind.FAILED)

    found = valid("show", json.loads(cw("show", task, "--json").stdout))

    assert (found["state"], found["outcome"]["kind"]) == ("done", "failed")
    assert [(one["turns"], one["cost_usd"]) for one in found["attempts"]] == [(4, 0.5)]
    assert found["why"] == "1 commit pushed"
    assert found["next"] == f"cw logs {task}; again with: cw dispatch -r {git_repo} -i 22"


def test_report_is_what_show_shows(cw: Cw, fleet: Store, git_repo: Path) -> None:
    task = dispatched(cw, git_repo, "-p", "Which rounding do we use?", "-w", "01", "--mode", "read")
    grant = run_it(fleet, task)
    report = f"Half to even.{EVIL}\n\nSee money.py"
    outcome = Outcome(kind=OutcomeKind.SUCCEEDED, reason="done", message="ok", report=report)
    ended(fleet, task, grant.fence, outcome)

    shown = cw("show", task).stdout

    assert "\nReport\n  Half to even.\n\n  See money.py\n" in shown
    assert "\x1b" not in shown


def test_show_of_a_waiting_task_says_why_and_asks_nobody(
    cw: Cw, fleet: Store, git_repo: Path
) -> None:
    task = dispatched(cw, git_repo, "-p", "x")

    done = cw("show", task)

    assert "state      queued: no host is running; start one with: cw up" in done.stdout
    assert done.stdout.endswith("next: cw up\n")
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["show", "inspect", "diff", "todos", "status"])
def test_unknown_ids_are_one_line_and_exit_2(cw: Cw, fleet: Store, command: str) -> None:
    for unknown in ("77", "0" * 26):
        done = cw(command, unknown)

        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1


def test_diff_of_a_host_that_is_away_says_what_the_record_knows(
    cw: Cw, fleet: Store, task: str
) -> None:
    running = cw("diff", "01")
    finish(fleet, task, OutcomeKind.SUCCEEDED)

    assert (running.returncode, running.stdout) == (4, "")
    assert running.stderr == (
        "cw: host there is not up; the record says: branch issue-22, running."
        " Start it there: cw up\n"
    )
    assert "branch issue-22, 1 commit." in cw("diff", task).stderr


def test_raw_log_of_a_host_that_is_away_is_exit_4(cw: Cw, task: str) -> None:
    raw, text = cw("logs", "01", "--raw"), cw("logs", "01")

    assert (raw.returncode, raw.stdout) == (4, "")
    assert raw.stderr == "cw: host there is not up. Start it there: cw up\n"
    assert text.stdout.startswith("● claude-x in /w\n")
    assert text.stderr == ("cw: the log lies on host there; these are the broker's newest events\n")


def test_queue_tells_each_line_with_reason_and_command(
    cw: Cw, fleet: Store, task: str, git_repo: Path
) -> None:
    pool = dispatched(cw, git_repo, "-i", "1", "-p", "x")
    first = dispatched(cw, git_repo, "-i", "2", "-w", "01", "-p", "x")
    second = dispatched(cw, git_repo, "-i", "3", "-w", "01", "-p", "x")

    text, rows = cw("queue"), valid("queue", json.loads(cw("queue", "--json").stdout))

    assert [(one["about"]["task"], one["worker"], one["place"]) for one in rows] == [
        (pool, None, 1),
        (first, "01", 1),
        (second, "01", 2),
    ]
    assert {one["next"] for one in rows} == {"cw up"}
    assert "Pool: 1 queued\n" in text.stdout
    assert "Worker 01: 2 queued\n" in text.stdout
    assert text.stdout.count("  why: no host is running; start one with: cw up\n") == 2


def test_queue_of_nothing(cw: Cw, fleet: Store) -> None:
    assert cw("queue").stdout == "Nothing waits. See: cw status\n"


def test_history_filters_by_repository_time_and_outcome(
    cw: Cw, fleet: Store, git_repo: Path, tmp_path: Path
) -> None:
    for number, kind in ((1, OutcomeKind.FAILED), (2, OutcomeKind.SUCCEEDED)):
        task = dispatched(cw, git_repo, "-i", str(number), "-w", "01", "-p", "x")
        run_it(fleet, task)
        finish(fleet, task, kind)

    def issues(*args: str) -> list[int]:
        rows = valid("history", json.loads(cw("history", "--json", *args).stdout))
        return [one["issue"] for one in rows]

    tomorrow = (fleet.tasks.now() + timedelta(days=1)).isoformat()
    assert issues() == [2, 1]
    assert issues("--outcome", "failed") == [1]
    assert issues("--repo", "./app") == issues("--repo", str(git_repo)) == [2, 1]
    assert issues("--repo", "other/app") == issues("--repo", "/of/another/machine") == []
    assert issues("--since", "2d", "--limit", "1") == [2]
    assert issues("--since", tomorrow) == []


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--since", "yesterday"), "is no time"),
        (("--since", "9999999w"), "is no time"),
        (("--outcome", "fine"), "--outcome"),
        (("--repo", "a b"), "not a repository"),
    ],
)
def test_history_refuses_filters_it_cannot_read(cw: Cw, args: tuple[str, ...], says: str) -> None:
    done = cw("history", *args)

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert says in done.stderr


def test_history_of_all_hosts_says_whose_archives_are_left_out(
    cw: Cw, fleet: Store, task: str
) -> None:
    finish(fleet, task, OutcomeKind.SUCCEEDED)

    done = cw("history", "--all", "--json")

    assert [one["task"] for one in json.loads(done.stdout)] == [task]
    assert done.stderr == "cw: host there is not up; its archives are left out\n"


def test_status_is_what_its_schema_says(cw: Cw, task: str, git_repo: Path) -> None:
    dispatched(cw, git_repo, "-p", "x")

    valid("status", json.loads(cw("status", "--json").stdout))


def test_watch_is_what_its_schema_says(cw: Cw, fleet: Store, task: str) -> None:
    finish(fleet, task, OutcomeKind.SUCCEEDED)

    lines = [json.loads(line) for line in cw("watch", task, "--json").stdout.splitlines()]

    assert {valid("watch", one)["type"] for one in lines} == {"event", "task"}


def test_cw_alone_shows_the_fleet_before_the_help(cw: Cw, task: str) -> None:
    done = cw()

    assert done.stdout.startswith("worker  state")
    assert "\nUsage: cw" in done.stdout
    assert done.returncode == 0


@pytest.fixture
def crowd(fleet: Store) -> Store:
    """Fifty workers on a host that is up; all but every fifth is busy."""
    now = fleet.tasks.now()
    fleet.fleet.beat(Host(name="there", workers=50), now)
    for number in range(50):
        name = f"{number:02}"
        fleet.fleet.register_worker(Worker(id=name, host="there", home=f"/nowhere/{name}"))
        if number % 5 == 4:
            continue
        spec = make_spec(title="A long title " * 20, wanted_worker=name, issue=100 + number)
        fleet.tasks.create(spec, "x")
        run_it(fleet, spec.id, name)
        data = {"turns": number}
        said = Event(at=now, kind="tool", text="Bash: " + "test " * 99, data=data)
        fleet.events.append(spec.id, [said])
    return fleet


def test_fifty_workers_fit_a_terminal_of_eighty_columns(
    crowd: Store, cw_environ: dict[str, str]
) -> None:
    with Terminal(cw_environ, "status") as shown:
        code = shown.finish()

    lines = plain(shown.text).splitlines()
    rows = [one for one in lines if one[:2].isdigit()]
    assert code == 0
    names = [one.split()[0] for one in rows]
    assert sorted(names) == [f"{number:02}" for number in range(50)]
    assert [int(one) % 5 for one in names[40:]] == [4] * 10  # the idle ones are the last
    assert [one for one in lines if len(one) > COLUMNS] == []
    assert "\x1b[32m" in shown.text  # busy is green


def test_watched_status_is_no_taller_than_the_terminal(
    crowd: Store, cw_environ: dict[str, str]
) -> None:
    with Terminal(cw_environ, "status", "--watch") as shown:
        shown.wait_for("\x1b[J")

    frame = plain(shown.text.split("\x1b[J")[0]).splitlines()
    assert len(frame) == LINES - 1
    assert frame[-1].endswith("more lines")
    assert [one for one in frame if len(one) > COLUMNS] == []


def test_host_that_is_up_but_says_nothing_is_named(cw: Cw, fleet: Store, task: str) -> None:
    fleet.fleet.beat(Host(name="there", workers=2), fleet.tasks.now())

    done = cw("show", task)

    assert done.returncode == 0
    assert (
        done.stderr
        == "cw: host there is up, but did not answer within 8 s; this is what the records hold\n"
    )
