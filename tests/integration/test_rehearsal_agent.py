"""The rehearsal agent behaves as the host expects claude to behave."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import wait_until

AGENT = Path(__file__).parents[1] / "standins" / "rehearsal_agent.py"
FAST = "rehearse: pace 0.01\n"
DEADLINE_S = 20

Line = dict[str, Any]


@dataclass
class Bench:
    home: Path
    clone: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, prompt: str, *flags: str, **env: str) -> subprocess.Popen[bytes]:
        script = self.home / "prompt"
        script.write_text(prompt, encoding="utf-8")
        base = [str(AGENT), "-p", "--output-format", "stream-json", "--verbose", "--unknown", "x"]
        with script.open("rb") as stdin:
            agent = subprocess.Popen(
                [sys.executable, *base, *flags],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.clone,
                env={"HOME": str(self.home), "PATH": os.environ["PATH"], **env},
            )
        self.started.append(agent)
        return agent

    def run(self, prompt: str, *flags: str, **env: str) -> tuple[int, list[Line], str]:
        agent = self.start(FAST + prompt, *flags, **env)
        out, err = agent.communicate(timeout=DEADLINE_S)
        return agent.returncode, [json.loads(line) for line in out.splitlines()], err.decode()

    def git(self, *words: str) -> str:
        command = ["git", "-C", str(self.clone), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    origin = tmp_path / "origin.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(origin)], check=True)
    bench = Bench(home=tmp_path / "home", clone=tmp_path / "clone")
    bench.home.mkdir()
    subprocess.run(["git", "init", "--quiet", str(bench.clone)], check=True)
    bench.git("config", "user.name", "Rehearsal")
    bench.git("config", "user.email", "rehearsal@example.invalid")
    bench.git("remote", "add", "origin", str(origin))
    bench.git("checkout", "--quiet", "-b", "issue-22")
    yield bench
    for agent in bench.started:
        agent.kill()
        agent.communicate(timeout=DEADLINE_S)


def read_until_tool(agent: subprocess.Popen[bytes]) -> None:
    assert agent.stdout
    for line in agent.stdout:
        if b'"tool_use"' in line:
            return
    pytest.fail("no tool was called")


def test_version_names_the_rehearsal() -> None:
    command = [sys.executable, str(AGENT), "--version"]
    said = subprocess.run(command, check=True, capture_output=True, text=True)

    assert said.stdout == "2.1.330 (Claude Code rehearsal)\n"


def test_default_commits_a_small_change(bench: Bench) -> None:
    rc, lines, _ = bench.run("Please fix the typo.", "--model", "sonnet")

    assert rc == 0
    assert [lines[0]["subtype"], lines[-1]["type"]] == ["init", "result"]
    assert lines[-1]["is_error"] is False
    assert lines[-1]["total_cost_usd"] > 0
    assert bench.git("log", "--format=%s") == "Rehearse issue-22"
    assert (bench.clone / "REHEARSAL-issue-22.md").exists()


def test_push_reaches_the_remote(bench: Bench) -> None:
    bench.run("rehearse: push")

    assert bench.git("ls-remote", "origin", "issue-22").split()[0] == bench.git("rev-parse", "HEAD")


def test_lie_claims_a_pull_request_and_does_nothing(bench: Bench) -> None:
    _, lines, _ = bench.run("rehearse: lie")

    assert "PR is opened" in lines[-1]["result"]
    assert bench.git("status", "--short") == ""
    assert bench.git("ls-remote", "origin") == ""


def test_to_dos_appear_only_when_enabled(bench: Bench) -> None:
    _, without, _ = bench.run("one")
    _, enabled, _ = bench.run("two", CLAUDE_CODE_ENABLE_TODO_TOOLS="1")

    assert "TaskCreate" not in json.dumps(without)
    assert '"TaskCreate"' in json.dumps(enabled)
    assert list(bench.home.glob(".claude/tasks/*/1.json"))


@pytest.mark.parametrize(
    ("directive", "rc", "status"),
    [
        ("is-error", 0, None),
        ("api-error 529", 1, 529),
        ("commit-error", 0, None),
        ("commit-error 529", 1, 529),
    ],
)
def test_errors_hide_behind_subtype_success(
    bench: Bench, directive: str, rc: int, status: int | None
) -> None:
    got, lines, _ = bench.run(f"rehearse: {directive}")

    last = lines[-1]
    assert (got, last["subtype"], last["is_error"]) == (rc, "success", True)
    assert last["api_error_status"] == status


def test_usage_limit_holds_until_its_reset(bench: Bench) -> None:
    later = int(time.time()) + 3600
    rc, lines, _ = bench.run(f"rehearse: usage-limit {later}")
    past_rc, past, _ = bench.run("rehearse: usage-limit 1000")

    events = [line for line in lines if line["type"] == "rate_limit_event"]
    assert events[0]["rate_limit_info"]["resetsAt"] == later
    assert (rc, lines[-1]["api_error_status"]) == (1, 429)
    assert (past_rc, past[-1]["is_error"]) == (0, False)


def test_resume_follows_the_first_prompt(bench: Bench) -> None:
    session = str(uuid.uuid4())
    crashed, _, _ = bench.run("rehearse: crash once\nrehearse: no-change", "--session-id", session)
    rc, lines, _ = bench.run("go on", "--resume", session)

    assert (crashed, rc) == (-signal.SIGKILL, 0)
    assert lines[-1]["session_id"] == session
    assert lines[-1]["result"] == "Nothing needs to change."


def test_repair_goes_on_as_its_session_began_and_answers_each_thread(bench: Bench) -> None:
    session, log = str(uuid.uuid4()), bench.home / "log.jsonl"
    journal = bench.home / "run" / "task.json"
    journal.parent.mkdir()
    task = {"id": "01", "repo": "acme/app", "issue": 22, "repair": {"cause": "review"}}
    run = {"worker": "01", "attempt": 1, "fence": 1}
    journal.write_text(json.dumps({"task": task, "run": run}), "utf-8")
    asked = "----- x7 thread [1], at a.txt:3 -----\n\n----- x7 thread [2], at b.txt -----\n"

    first = bench.run("rehearse: commit-only", "--session-id", session)[1]
    again = bench.run(asked, "--resume", session, CW_REHEARSAL_LOG=str(log))[1]

    assert first[-1]["result"] == "Committed a small change on issue-22."
    assert again[-1]["result"] == (
        "Committed a small change on issue-22.\n\n"
        "[1] fixed: a small change\n[2] fixed: a small change"
    )
    assert bench.git("rev-list", "--count", "HEAD") == "2"
    assert json.loads(log.read_text("utf-8").splitlines()[0])["mends"] == "review"


def test_cost_is_that_of_the_session_so_far(bench: Bench) -> None:
    session = str(uuid.uuid4())
    _, first, _ = bench.run("rehearse: no-change", "--session-id", session)
    _, second, _ = bench.run("rehearse: no-change", "--resume", session)

    assert second[-1]["total_cost_usd"] == pytest.approx(2 * first[-1]["total_cost_usd"])
    assert second[-1]["usage"] == first[-1]["usage"]


def test_session_ids_are_checked_as_claude_checks_them(bench: Bench) -> None:
    session = str(uuid.uuid4())
    bench.run("rehearse: no-change", "--session-id", session)
    used = bench.run("again", "--session-id", session)
    unknown_rc, unknown, unknown_err = bench.run("again", "--resume", str(uuid.uuid4()))

    assert (used[0], used[1]) == (1, [])
    assert "is already in use" in used[2]
    assert (unknown_rc, unknown[-1]["subtype"]) == (1, "error_during_execution")
    assert "No conversation found with session ID" in unknown_err


def test_interrupt_ends_with_an_error_result(bench: Bench) -> None:
    agent = bench.start("rehearse: hang")
    read_until_tool(agent)
    agent.send_signal(signal.SIGINT)
    out, _ = agent.communicate(timeout=DEADLINE_S)

    assert agent.returncode == 1
    assert json.loads(out.splitlines()[-1])["subtype"] == "error_during_execution"


def test_terminate_ends_without_a_result(bench: Bench) -> None:
    agent = bench.start("rehearse: hang")
    read_until_tool(agent)
    agent.terminate()
    out, _ = agent.communicate(timeout=DEADLINE_S)

    assert agent.returncode == 143
    assert b'"result"' not in out


def test_max_turns_ends_the_run(bench: Bench) -> None:
    rc, lines, _ = bench.run("anything", "--max-turns", "2")

    assert (rc, lines[-1]["subtype"]) == (1, "error_max_turns")


def test_received_prompt_environment_and_probe_are_reported(bench: Bench) -> None:
    prompt = f"rehearse: echo\nrehearse: env\nrehearse: probe {bench.home}/none/x\n— 'é' 🙂\n"
    _, lines, _ = bench.run(prompt + "rehearse: no-change", CW_MARK="seen")

    kept = bench.home / "tmp"
    assert (kept / "prompt.received").read_text(encoding="utf-8").startswith(FAST + prompt)
    assert "CW_MARK=seen\n" in (kept / "env.received").read_text(encoding="utf-8")
    assert "failed (No such file or directory)" in lines[-1]["result"]


def test_log_tells_start_and_end(bench: Bench) -> None:
    log = bench.home / "log.jsonl"
    bench.run("rehearse: slow 1.5\nrehearse: no-change", CW_REHEARSAL_LOG=str(log))

    events = [json.loads(line)["event"] for line in log.read_text(encoding="utf-8").splitlines()]
    assert (events[0], events[-1]) == ("start", "end")
    assert "beat" in events


def test_log_tells_each_commit_and_the_last_word(bench: Bench) -> None:
    log = bench.home / "log.jsonl"
    prompt = "rehearse: last leaves 1\nrehearse: commit-break touch broken"
    bench.run(prompt, CW_REHEARSAL_LOG=str(log))

    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    told = {line["event"]: line for line in lines}
    made = told["commit"]
    assert (made["sha"], made["branch"]) == (bench.git("rev-parse", "HEAD"), "issue-22")
    assert (told["said"]["rc"], told["said"]["good"]) == (0, True)
    assert (bench.clone / "broken").exists()


def test_until_waits_for_its_file(bench: Bench) -> None:
    log, go = bench.home / "log.jsonl", bench.home / "go"
    prompt = f"rehearse: until {go}\nrehearse: no-change"
    agent = bench.start(FAST + prompt, CW_REHEARSAL_LOG=str(log), CW_REHEARSAL_BEAT="0.05")
    wait_until(lambda: log.exists() and '"beat"' in log.read_text("utf-8"), what="its first beat")
    assert agent.poll() is None

    go.touch()

    assert agent.wait(DEADLINE_S) == 0
