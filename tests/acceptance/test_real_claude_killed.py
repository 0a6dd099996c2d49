"""kill -9 in the middle of a conversation of the real claude."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import psutil

from tests.acceptance.fleet import Fleet
from tests.acceptance.test_real_claude import fix, last_result, pulls
from tests.acceptance.test_two_hosts import service
from tests.standins.messages import slow
from tests.standins.messages.scripts import Request
from tests.waiting import wait_until


@dataclass
class Conversation:
    """A dispatched issue whose agent has committed and waits for the model's second answer."""

    fleet: Fleet
    number: int
    answer: Event = field(default_factory=Event)
    task: str = ""

    def begin(self) -> None:
        commit, push, end = fix(self.number)
        turns = (commit, slow(push, gate=self.answer), end)
        self.fleet.api.script(*turns, match=f"issue-{self.number}")
        said = self.fleet.json("dispatch", "-r", "acme/app", "-i", str(self.number), "-w", "01")
        self.task = said["task"]
        wait_until(lambda: len(self.requests) == 2, 60, self.fleet.logs)

    @property
    def requests(self) -> list[Request]:
        return [one for one in self.fleet.api.requests if f"issue-{self.number}" in one.text]

    @property
    def home(self) -> Path:
        return self.fleet.worker("01")

    def book(self) -> dict[str, Any]:
        book: dict[str, Any] = json.loads((self.home / "run" / "task.json").read_bytes())
        return book

    def transcripts(self) -> list[Path]:
        """Those in which this issue is spoken of."""
        found = self.home.glob(".claude/projects/*/*.jsonl")
        return [one for one in found if f"issue-{self.number}" in one.read_text("utf-8")]


def begun(fleet: Fleet) -> Conversation:
    number = fleet.github.add_issue("acme/app", "It breaks", "Mend it.")
    talk = Conversation(fleet, number)
    talk.begin()
    return talk


def test_killed_host_leaves_one_conversation_with_one_answer(real_fleet: Fleet) -> None:
    fleet = real_fleet
    talk = begun(fleet)
    before = talk.book()["run"]

    os.kill(service(fleet, "host"), signal.SIGKILL)
    wait_until(lambda: talk.book()["run"]["fence"] > before["fence"], 60, fleet.logs)
    talk.answer.set()
    end = fleet.finished(talk.task)

    assert end["outcome"]["kind"] == "succeeded", fleet.logs()
    (pull,) = pulls(fleet, talk.number)
    assert pull.head_sha == end["outcome"]["head"]
    (transcript,) = talk.transcripts()
    assert transcript.stem == before["session"]
    run = fleet.archive("01")["run"]
    assert (run["attempt"], run["session"]) == (1, before["session"])
    assert len(talk.requests) == len(fix(talk.number))  # each turn was asked for once
    assert last_result(fleet, "01")["num_turns"] == len(fix(talk.number))


def test_killed_tree_goes_on_in_the_same_session_and_ends_in_one_pull_request(
    real_fleet: Fleet,
) -> None:
    fleet = real_fleet
    talk = begun(fleet)
    before = talk.book()["run"]
    shim = psutil.Process(json.loads((talk.home / "run" / "shim.json").read_bytes())["pid"])
    tree = [psutil.Process(service(fleet, "host")), shim, *shim.children(recursive=True)]
    assert any("claude" in one.name() for one in tree), tree

    for one in tree:
        with suppress(psutil.NoSuchProcess):  # ended with what was killed before it
            one.send_signal(signal.SIGKILL)
    talk.answer.set()
    end = fleet.finished(talk.task)

    assert end["outcome"]["kind"] == "succeeded", fleet.logs()
    (pull,) = pulls(fleet, talk.number)
    assert (pull.head_sha, end["outcome"]["commits"]) == (end["outcome"]["head"], 1)
    (transcript,) = talk.transcripts()
    assert transcript.stem == before["session"]
    run = fleet.archive("01")["run"]
    assert (run["attempt"], run["session"], run["resumed"]) == (2, before["session"], True)
    assert last_result(fleet, "01")["session_id"] == before["session"]
