"""Two machines, one broker: what one sees of a worker that lives on the other."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cw.store.store import Store, open_store
from tests.acceptance.fleet import REHEARSAL, TOKEN, Fleet, remove, short_folder
from tests.making import give_key
from tests.needs import need
from tests.standins.github import GitHubStandIn
from tests.standins.messages import MessagesStandIn
from tests.waiting import wait_until

FAST = "rehearse: pace 0.01\n"
AWAY = "host south is not up"


@dataclass(frozen=True)
class Machines:
    """The person sits at `north`, which has worker 01; 02 lives on `south`."""

    north: Fleet
    south: Fleet
    store: Store

    def dispatch(self, behaviour: str, worker: str = "02") -> str:
        body = f"{FAST}rehearse: {behaviour}\n"
        number = self.north.github.add_issue("acme/app", "Change it", body)
        typed = ("dispatch", "-r", "acme/app", "-i", str(number), "-w", worker)
        return str(self.north.json(*typed)["task"])

    def finished(self, task: str) -> dict[str, Any]:
        end = self.north.finished(task)
        assert end["outcome"]["kind"] == "succeeded", self.south.logs()
        return end

    def log_of(self, task: str) -> Path:
        """The archived log, on the disk of south; it is there a moment after the record."""
        folder = self.south.worker("02") / "completed"

        def found() -> Path | None:
            mine = (one for one in folder.glob("*.json") if task in one.read_text("utf-8"))
            return next(mine, None)

        archive = wait_until(found, what="the archive")
        assert archive is not None
        return archive.with_suffix(".log")


def machine(name: str, hub: GitHubStandIn, api: MessagesStandIn, broker: str, key: str) -> Fleet:
    home = short_folder()
    (home / ".gitconfig").write_text("[user]\n\tname = Bot\n\temail = bot@acme.invalid\n")
    settings = {"CW_BROKER_URL": broker, "CW_HOST_NAME": name, "CW_SIGNING_KEY_FILE": key}
    return Fleet(home, hub, api, REHEARSAL, settings)


@pytest.fixture(scope="module")
def machines(redis_server: str) -> Iterator[Machines]:
    need("git")
    folder = short_folder()
    store = open_store(redis_server)
    with GitHubStandIn(folder / "hub") as hub, MessagesStandIn() as api:
        hub.add_repo("acme/app", files={"README.md": "# App\n"})
        hub.add_user("bot", TOKEN, {"acme/app": "write"})
        key = give_key(folder)
        north = machine("north", hub, api, redis_server, key)
        south = machine("south", hub, api, redis_server, key)
        try:
            north.ok("init", "01")
            south.ok("init", "02")
            north.up()
            south.up()
            yield Machines(north, south, store)
            assert hub.leaks == []
        finally:
            for one in (north, south):
                one.down()
                remove(one.home)
            with store.connection.errors() as client:
                client.flushall()
            store.connection.close()
            remove(folder)


@pytest.fixture
def done(machines: Machines) -> str:
    """A task that 02 finished on south; its log is longer than a page."""
    task = machines.dispatch("commit-only")
    machines.finished(task)
    with machines.log_of(task).open("ab") as out:
        out.write(b'{"type": "padding", "odd": "\xff"}\n' * 20_000)
    return task


def test_conversation_and_list_are_seen_from_the_other_machine(
    machines: Machines, done: str
) -> None:
    here, there = machines.north, machines.south

    assert here.ok("inspect", "02") == there.ok("inspect", "02")
    assert here.json("todos", done) == there.json("todos", done)
    assert len(here.json("todos", done)[0]["todos"]) == 3


def test_list_the_stream_lost_is_asked_of_the_host(machines: Machines, done: str) -> None:
    from cw.models import Event

    data = {"tool": "TaskUpdate", "input": {"taskId": "9", "status": "completed"}}
    at = machines.store.tasks.now()
    machines.store.events.append(done, [Event(at=at, kind="todo", text="x", data=data)])

    (found,) = machines.north.json("todos", done)

    assert [one["subject"] for one in found["todos"]] == [
        "Look around",
        "Make the change",
        "Commit it",
    ]


def test_raw_log_comes_whole_in_pages(machines: Machines, done: str) -> None:
    whole = machines.log_of(done).read_bytes()

    shown = subprocess.run(
        ["cw", "logs", done, "--raw"],
        env=machines.north.env(),
        capture_output=True,
        timeout=60,
        check=True,
    )

    assert len(whole) > 2 * 256 * 1024
    assert shown.stdout == whole


def test_raw_log_is_followed_to_the_end_of_the_run(machines: Machines) -> None:
    task = machines.dispatch("slow 4")
    wait_until(lambda: machines.north.cw("inspect", task).stdout, 60, "the first words")

    shown = machines.north.ok("logs", task, "--raw", "-F")

    assert shown == machines.log_of(task).read_text("utf-8")
    assert json.loads(shown.splitlines()[-1])["type"] == "result"
    machines.finished(task)


def test_readable_log_is_the_stream_and_says_where_the_log_lies(
    machines: Machines, done: str
) -> None:
    shown = machines.north.cw("logs", done)

    assert "Committed a small change" in shown.stdout
    assert shown.stderr == "cw: the log lies on host south; these are the broker's newest events\n"


def test_diff_is_the_same_on_both_machines(machines: Machines, done: str) -> None:
    assert machines.north.ok("diff", done) == machines.south.ok("diff", done)
    assert "rehearsed in session" in machines.north.ok("diff", done)


def test_show_asks_the_host_for_attempts_and_changes(machines: Machines, done: str) -> None:
    found = machines.north.json("show", done)

    assert found == machines.south.json("show", done)
    assert [(one["worker"], one["host"]) for one in found["attempts"]] == [("02", "south")]
    assert "REHEARSAL-issue-" in found["changes"]["stat"]
    assert found["notes"] == []


def test_history_of_a_worker_the_records_forgot_is_asked_of_its_host(machines: Machines) -> None:
    task = machines.dispatch("commit-only")
    machines.finished(task)
    known = machines.north.json("history", "02", "--all")
    machines.store.tasks.trim(1)
    other = machines.dispatch("commit-only", "01")
    machines.finished(other)
    machines.store.tasks.trim(1)

    forgotten = machines.north.json("history", "02")

    assert task in {one["task"] for one in forgotten}
    assert [one["task"] for one in forgotten] == [one["task"] for one in known]
    assert machines.north.json("history", task)[0]["outcome"]["kind"] == "succeeded"
    both = machines.north.json("history", "--all", "--repo", "acme/app", "--since", "1h")
    assert {one["worker"] for one in both} == {"01", "02"}


def test_with_its_host_down_the_records_tell_and_a_line_says_so(machines: Machines) -> None:
    task = machines.dispatch("commit-only")
    machines.finished(task)
    machines.south.down()
    try:
        here = machines.north
        shown, raw, diff = (
            here.cw("show", task),
            here.cw("logs", task, "--raw"),
            here.cw("diff", task),
        )
        text, story = here.cw("logs", "02"), here.json("show", task)

        assert shown.stderr == f"cw: {AWAY}; this is what the records hold\n"
        assert [one["turns"] > 0 for one in story["attempts"]] == [True]
        assert story["outcome"]["pr"]
        assert "agent began: claude-sonnet" in shown.stdout
        assert (raw.returncode, raw.stdout, diff.returncode, diff.stdout) == (4, "", 4, "")
        assert raw.stderr == f"cw: {AWAY}. Start it there: cw up\n"
        assert f"{AWAY}; the record says: branch issue-" in diff.stderr
        assert story["outcome"]["pr"] in diff.stderr
        assert "Committed a small change" in text.stdout
        assert "Committed a small change" in here.ok("inspect", "02")
        assert len(here.json("todos", task)[0]["todos"]) == 3
        assert here.json("history", "02")[0]["task"] == task
        assert f"{AWAY}; its archives are left out" in here.cw("history", "--all").stderr
        assert [one["state"] for one in here.json("status")["workers"]] == ["idle", "offline"]
    finally:
        machines.south.up()


def test_logs_of_all_attempts_come_from_the_other_machine(machines: Machines) -> None:
    here = machines.north
    task = machines.dispatch("hang")
    for number in (1, 2):
        if number == 2:
            here.ok("restart", task)

        def hangs(number: int = number) -> bool:
            runs = here.json("show", task)["attempts"]
            raw = here.cw("logs", task, "--raw", "--attempt", str(number)).stdout
            return [one["attempt"] for one in runs][-1:] == [number] and "sleep infinity" in raw

        wait_until(hangs, 30, f"attempt {number}\n{here.logs()}")
        here.ok("stop", task)
    here.ok("reset", task)

    whole, second = here.ok("logs", task, "--raw"), here.ok("logs", task, "--raw", "--attempt", "2")
    words = here.ok("logs", task, "--attempt", "1")

    assert whole.endswith(second)
    assert len(whole) > len(second)
    assert "sleep infinity" in words
    assert here.cw("logs", task, "--attempt", "3").stdout == ""
