"""`cw logs` and `cw history --local` read what lies in a HOME."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cw.homes.files import write_private
from cw.homes.home import make_home, templates_dir
from cw.homes.layout import Home
from cw.models import Outcome, TaskSpec
from cw.names import new_task_id
from cw.states import OutcomeKind
from tests.waiting import wait_until

Cw = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = str(Path(sys.executable).with_name("cw"))
AT = datetime(2026, 5, 8, 12, tzinfo=UTC)
SECRET = "a-secret-of-01"


def said(text: str) -> bytes:
    message = {"id": text, "content": [{"type": "text", "text": text}]}
    return json.dumps({"type": "assistant", "message": message}).encode() + b"\n"


def book(number: int) -> dict[str, Any]:
    spec = TaskSpec(
        id=new_task_id(number, lambda _: 0),
        repo="owner/app",
        repo_url="https://github.com/owner/app.git",
        repo_folder="owner/app",
        github=True,
        issue=number,
        model="sonnet",
        created_at=AT,
    )
    outcome = Outcome(
        kind=OutcomeKind.SUCCEEDED, reason="pr", message="ok", pr=f"https://h/pull/{number}"
    )
    run = {"worker": "01", "started_at": AT, "ended_at": AT + timedelta(minutes=number)}
    data = {"task": spec.model_dump(), "run": run, "outcome": outcome.model_dump()}
    found: dict[str, Any] = json.loads(json.dumps(data, default=str))
    return found


@pytest.fixture
def home(cw_environ: dict[str, str]) -> Home:
    root = Path(cw_environ["CW_WORKERS_ROOT"])
    return make_home(root, "01", {"GH_TOKEN": SECRET}, templates_dir())


def archived(home: Home, number: int, attempt: int = 0) -> str:
    data = book(number)
    words, path = f"issue {number}", home.completed / f"owner-app-{number}-{attempt}.json"
    if attempt:
        data["run"]["attempt"] = attempt
        words = f"attempt {attempt}"
    write_private(path, json.dumps(data).encode())
    path.with_suffix(".log").write_bytes(said(words))
    os.utime(path, (number + attempt, number + attempt))
    return str(data["task"]["id"])


def test_worker_that_did_nothing_has_no_log(cw: Cw, home: Home) -> None:
    done = cw("logs", "01")

    assert done.returncode == 1
    assert done.stderr == ("cw: worker 01 has no log yet. cw status shows what it waits for\n")


def test_running_worker_shows_its_current_log_without_controls_and_tokens(
    cw: Cw, home: Home
) -> None:
    archived(home, 1)
    home.log.write_bytes(said(f"I \x1b[2J see {SECRET}") + b"not json \x1b[31m\n" + b'{"type"')

    shown, raw = cw("logs", "01"), cw("logs", "01", "--raw")

    assert shown.stdout == 'I  see [redacted]\n  · not json\n  · {"type"\n'
    assert raw.stdout.encode() == home.log.read_bytes()


def test_idle_worker_shows_its_last_log_and_a_task_its_own(cw: Cw, home: Home) -> None:
    first, _ = archived(home, 1), archived(home, 2)

    assert cw("logs", "01").stdout == "issue 2\n"
    assert cw("logs", "01", "-F").stdout == "issue 2\n"
    assert cw("logs", first).stdout == "issue 1\n"


def test_following_by_its_old_letter_works_for_one_more_version_and_says_so(
    cw: Cw, home: Home
) -> None:
    archived(home, 1)

    done = cw("logs", "01", "-f")

    assert done.stdout == "issue 1\n"
    assert done.stderr.count("\n") == 1
    assert "use -F" in done.stderr
    assert cw("logs", "01", "-F").stderr == ""


def test_task_shows_all_its_attempts_and_each_alone(cw: Cw, home: Home) -> None:
    archived(home, 1)
    task = archived(home, 7, 1)
    archived(home, 7, 2)
    current = book(7)
    current["run"]["attempt"] = 3
    write_private(home.journal, json.dumps(current).encode())
    write_private(home.exit, b"{}")
    home.log.write_bytes(said(f"attempt 3 {SECRET}"))

    assert cw("logs", task).stdout.splitlines() == [
        "── Attempt 1, worker 01 ──",
        "attempt 1",
        "── Attempt 2, worker 01 ──",
        "attempt 2",
        "── Attempt 3, worker 01 ──",
        "attempt 3 [redacted]",
    ]
    assert cw("logs", task, "--attempt", "2").stdout == "attempt 2\n"
    assert cw("logs", "01", "--attempt", "1").stdout == "attempt 1\n"
    assert cw("logs", "01").stdout == "attempt 3 [redacted]\n"
    assert cw("logs", task, "--raw").stdout.count('"assistant"') == 3
    missing = cw("logs", task, "--attempt", "9")
    assert missing.returncode == 1
    assert missing.stderr == "cw: there is no log of attempt 9 here. There is: 1, 2, 3\n"


def test_logs_as_json_are_one_event_a_line_without_secrets(cw: Cw, home: Home) -> None:
    archived(home, 1)
    use = {"type": "tool_use", "id": "x", "name": "Bash", "input": {"command": f"echo {SECRET}"}}
    line = json.dumps({"type": "assistant", "message": {"id": "m", "content": [use]}})
    home.log.write_bytes(said("Let me see") + line.encode() + b"\n")

    done = cw("logs", "01", "--json")

    rows = [json.loads(one) for one in done.stdout.splitlines()]
    assert [(one["kind"], one["text"][:10]) for one in rows] == [
        ("text", "Let me see"),
        ("tool", "Bash: echo"),
    ]
    assert SECRET not in done.stdout
    assert cw("logs", "01", "--json", "--raw").returncode == 2


def test_following_ends_with_the_run_and_loses_nothing(
    request: pytest.FixtureRequest, home: Home, cw_environ: dict[str, str], tmp_path: Path
) -> None:
    write_private(home.journal, json.dumps(book(3)).encode())
    seen = tmp_path / "seen"
    with seen.open("wb") as out:
        following = subprocess.Popen([COMMAND, "logs", "01", "-F"], stdout=out, env=cw_environ)
    request.addfinalizer(following.kill)
    with home.log.open("ab", buffering=0) as log:
        line = said("first")
        log.write(line[:20])
        log.write(line[20:])
        wait_until(lambda: seen.read_text("utf-8") == "first\n", what="the first line")
        log.write(said("last")[:-1])  # the run was cut off before the line's end
    home.log.rename(home.completed / "moved.log")
    home.journal.unlink()

    assert following.wait(20) == 0
    assert seen.read_text("utf-8") == "first\nlast\n"


def test_local_history_is_newest_first_and_passes_what_it_cannot_read(cw: Cw, home: Home) -> None:
    archived(home, 1)
    archived(home, 2)
    (home.completed / "odd.json").write_text('{"task": 1}', "utf-8")
    (home.completed / "broken.json").write_text("{", "utf-8")

    done = cw("history", "--local", "--json")

    assert [one["issue"] for one in json.loads(done.stdout)] == [2, 1]
    (named, _) = done.stderr.splitlines()
    assert "completed/broken.json cannot be read" in named


def test_history_without_a_broker_reads_the_archives_and_says_so(cw: Cw, home: Home) -> None:
    archived(home, 1)

    done = cw("history", "01")

    assert done.returncode == 0
    assert "https://h/pull/1" in done.stdout
    assert done.stderr.startswith("cw: warning: no broker is configured")
    assert "these are the archives of this machine" in done.stderr


def test_local_history_of_nothing_is_an_empty_list(cw: Cw) -> None:
    assert json.loads(cw("history", "--local", "--json").stdout) == []


def test_cost_is_that_of_the_archives_with_a_broker_and_without(
    cw: Cw, cw_environ: dict[str, str], home: Home, redis_url: str
) -> None:
    for number in (1, 2, 3):
        archived(home, number)
    paths = sorted(home.completed.glob("*.json"))
    for path, dollars in zip(paths, (0.1, 0.25, 0.0), strict=True):
        data = json.loads(path.read_text("utf-8"))
        data["outcome"] |= {"cost_usd": dollars, "turns": 2}
        path.write_text(json.dumps(data), "utf-8")

    alone = cw("cost", "--by", "issue", "--json")
    local = json.loads(cw("cost", "--local", "--json").stdout)
    shown = cw("cost", "--local").stdout
    cw_environ["CW_BROKER_URL"] = redis_url
    nobody = json.loads(cw("cost", "--json").stdout)

    found = json.loads(alone.stdout)
    assert [(row["name"], row["usd"]) for row in found["rows"]] == [
        ("owner/app#2", 0.25),
        ("owner/app#1", 0.1),
        ("owner/app#3", 0.0),
    ]
    assert "these are the archives of this machine" in alone.stderr
    assert (local["total"]["usd"], local["total"]["unknown"]) == (0.35, 1)
    assert "$0.35+" in shown
    assert "1 runs whose cost nobody heard of" in shown
    assert nobody["rows"] == []  # a broker that knows no worker of these
