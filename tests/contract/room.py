"""One HOME with one working folder, and runs of the real claude in it."""

import json
import os
import signal
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.contract.binaries import Claude
from tests.contract.processes import alive_in, until
from tests.standins.messages import MessagesStandIn, Request, Turn

RUN_DEADLINE_S = 60
PERMISSIONS = {
    "defaultMode": "dontAsk",
    "allow": [
        "Bash",
        "Read(~/**)",
        "Edit(~/**)",
        "Write(~/**)",
        "TaskCreate",
        "TaskUpdate",
        "TaskList",
        "TaskGet",
        "Task",
        "Skill",
    ],
}

Line = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Launch:
    prompt: str | bytes = "Do it."
    session: str = field(default_factory=lambda: str(uuid.uuid4()))
    resume: bool = False
    model: str = "sonnet"
    flags: Sequence[str] = ()
    env: Mapping[str, str | None] = field(default_factory=dict)  # None removes
    cwd: Path | None = None
    wrap: Sequence[str] = ()  # goes before the command


@dataclass(frozen=True)
class Ended:
    pid: int
    rc: int
    lines: list[Line]
    err: str
    session: str
    requests: list[Request]

    @property
    def init(self) -> Line:
        return self.of("system", "init")[0]

    @property
    def result(self) -> Line:
        return self.of("result")[-1]

    def of(self, kind: str, subtype: str | None = None) -> list[Line]:
        some = [line for line in self.lines if line["type"] == kind]
        return [line for line in some if subtype is None or line.get("subtype") == subtype]

    def blocks(self, role: str) -> list[Line]:
        """Content blocks of the assistant's or the user's lines."""
        return [block for line in self.of(role) for block in line["message"]["content"]]

    def answers(self, tool: str) -> list[Line]:
        """The tool_result blocks of one tool's calls, in order."""
        calls = [one["id"] for one in self.blocks("assistant") if one.get("name") == tool]
        return [one for one in self.blocks("user") if one.get("tool_use_id") in calls]


@dataclass
class Started:
    process: subprocess.Popen[bytes]
    room: "Room"
    session: str
    seen: int  # requests of this session before this run

    def end(self) -> Ended:
        out, err = self.process.communicate(timeout=RUN_DEADLINE_S)
        lines = [json.loads(line) for line in out.splitlines()]
        requests = self.room.api.of_session(self.session)[self.seen :]
        ended = self.process.returncode
        return Ended(self.process.pid, ended, lines, err.decode(), self.session, requests)

    def interrupt(self) -> Ended:
        self.process.send_signal(signal.SIGINT)
        return self.end()


@dataclass
class Room:
    claude: Claude
    api: MessagesStandIn
    home: Path
    started: list[Started] = field(default_factory=list)

    def __post_init__(self) -> None:
        for folder in (self.work, self.home / "tmp", self.home / ".claude"):
            folder.mkdir(parents=True)
        policy = {"permissions": PERMISSIONS}
        self.settings.write_text(json.dumps(policy), encoding="utf-8")
        self.appended.write_text("WORDS-APPENDED-TO-THE-SYSTEM-PROMPT", encoding="utf-8")

    @property
    def work(self) -> Path:
        # A name with all that the transcript's folder name must replace.
        return self.home / "work.d" / "some_repo é"

    @property
    def settings(self) -> Path:
        return self.home / "policy.json"

    @property
    def appended(self) -> Path:
        return self.home / "appended.txt"

    @property
    def transcripts(self) -> list[Path]:
        return sorted((self.home / ".claude" / "projects").glob("*/*.jsonl"))

    def run(self, *turns: Turn, **launch: Any) -> Ended:
        return self.start(*turns, **launch).end()

    def start(self, *turns: Turn, **launch: Any) -> Started:
        how = Launch(**launch)
        self.api.script(*turns, match=how.session)
        seen = len(self.api.of_session(how.session))
        prompt = self.home / "prompt"
        content = how.prompt if isinstance(how.prompt, bytes) else how.prompt.encode()
        prompt.write_bytes(content)
        with prompt.open("rb") as stdin:
            process = subprocess.Popen(
                [*how.wrap, *self._command(how)],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=how.cwd or self.work,
                env=self._environment(how.env),
                start_new_session=True,
            )
        started = Started(process, self, how.session, seen)
        self.started.append(started)
        return started

    def close(self) -> None:
        """Ends what is left of this room's processes."""
        for pid in alive_in(self.home):
            os.kill(pid, signal.SIGKILL)
        for started in self.started:
            started.process.communicate(timeout=RUN_DEADLINE_S)
        until(lambda: not alive_in(self.home), "the room's processes to end")

    def _command(self, how: Launch) -> list[str]:
        session = ["--resume" if how.resume else "--session-id", how.session]
        return [
            str(self.claude.path),
            *("-p", "--output-format", "stream-json", "--verbose", "--model", how.model),
            *session,
            *("--settings", str(self.settings), "--setting-sources", "user"),
            *("--permission-mode", "dontAsk"),
            *("--append-system-prompt-file", str(self.appended)),
            *how.flags,
        ]

    def _environment(self, changed: Mapping[str, str | None]) -> dict[str, str]:
        env: dict[str, str | None] = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "SHELL": "/bin/bash",
            "TMPDIR": str(self.home / "tmp"),
            "CLAUDE_CODE_TMPDIR": str(self.home / "tmp"),
            "ANTHROPIC_BASE_URL": self.api.url,
            "ANTHROPIC_API_KEY": "sk-ant-dummy",
            "CLAUDE_CODE_MAX_RETRIES": "0",
            "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "DISABLE_AUTOUPDATER": "1",
            **changed,
        }
        return {name: value for name, value in env.items() if value is not None}
