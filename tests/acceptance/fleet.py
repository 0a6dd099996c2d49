"""A whole installation as a person has it: `cw up -d`, real processes, stand-ins for the two
services that cannot be had.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cw.broker.address import broker_url
from cw.errors import CwError
from cw.homes.layout import Home
from cw.keyring import load_keyring
from cw.settings import load_settings
from cw.states import State
from cw.store.store import open_store
from tests.mutants import startup
from tests.standins.github import GitHubStandIn
from tests.standins.messages import MessagesStandIn
from tests.typed import typed
from tests.waiting import wait_until
from tests.walls import AROUND_REHEARSAL, AS_ROOT

ROOT = Path(__file__).parents[2]
REHEARSAL = ROOT / "tests" / "standins" / "rehearsal_agent.py"
TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyzABCD"
STAYING = frozenset({"up", "down", "update"})  # they start and end what stays, and programs
API_KEY = "sk-ant-dummy-key-of-the-tests"
PASSED = (
    "http_proxy",
    "https_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "no_proxy",
    "GH_HOST",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "DISABLE_TELEMETRY",
    "DISABLE_ERROR_REPORTING",
    "CLAUDE_CODE_MAX_RETRIES",
    "BASH_ENV",
)


@dataclass
class Fleet:
    """One machine's installation below `home`."""

    home: Path
    github: GitHubStandIn
    api: MessagesStandIn
    claude: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def workers(self) -> Path:
        return self.home / "workers"

    def worker(self, worker: str) -> Path:
        return self.workers / worker

    def env(self) -> dict[str, str]:
        """Of the person at the terminal, and so of everything `cw up` starts."""
        scripts = sysconfig.get_path("scripts")
        proxy = dict.fromkeys(
            ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), self.github.url
        )
        return {
            "HOME": str(self.home),
            "PATH": f"{scripts}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "CW_WORKERS_ROOT": str(self.workers),
            "CW_STATE_DIR": str(self.home / "state"),
            "CW_CLAUDE": str(self.claude),
            "CW_SANDBOX_READ": ":".join(self._readable()),
            "CW_AGENT_ENV": " ".join((*PASSED, *self.github.trust())),
            "BASH_ENV": str(ROOT / "tests" / "standins" / "localhost_by_proxy.sh"),
            "CW_GITHUB_API_URL": self.github.api_url,
            "CW_GITHUB_URL": self.github.state.web_url,
            "CW_GITHUB_PACE": "0",
            "CW_ALLOWED_DOMAINS": "*.com *.localhost",  # gh goes to api.github.localhost
            "CW_FLOWER_PORT": "0",
            "CW_SWEEP_EVERY": "1",
            "CW_STOP_GRACE": "2",
            "CW_SAME_FAILURES": "0",  # tests let many fail alike
            "CW_ISOLATION": AROUND_REHEARSAL if self.claude == REHEARSAL else "strict",
            "GH_TOKEN": TOKEN,
            "GH_HOST": "github.localhost",
            "ANTHROPIC_API_KEY": API_KEY,
            "ANTHROPIC_BASE_URL": self.api.url,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "CLAUDE_CODE_MAX_RETRIES": "0",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            **proxy,
            **AS_ROOT,
            **startup(),
            **self.github.trust(),
            **self.settings,
        }

    def _readable(self) -> set[str]:
        authority = self.github.authority
        shown = {str(authority.folder)} if authority else set()
        return {str(ROOT / "tests"), sys.prefix, sys.base_prefix, *shown}

    def cw(
        self, *args: str, stdin: bytes | None = None, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """What a person types."""
        env = self.env() | dict(more or {})
        # Of another cw, or of one that finds more than this process does.
        other = {"PATH", "PYTHONPATH"} & self.settings.keys()
        if args[0] in STAYING or other:
            done = subprocess.run(
                ["cw", *args],
                env=env,
                cwd=self.home,
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                timeout=90,
                check=False,
            )
        else:
            done = typed(*args, env=env, cwd=self.home, stdin=stdin)
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    def ok(self, *args: str, stdin: bytes | None = None) -> str:
        done = self.cw(*args, stdin=stdin)
        assert done.returncode == 0, f"cw {' '.join(args)}: {done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *args: str, stdin: bytes | None = None) -> Any:
        return json.loads(self.ok(*args, "--json", stdin=stdin))

    def finished(self, task: str, seconds: float = 60) -> dict[str, Any]:
        """The history's row of a task, once it is there."""
        settings = load_settings(self.env())[0]
        store = open_store(broker_url(settings), load_keyring(settings))

        def waits() -> bool:
            """Asked first: a `cw` takes fifty times as long."""
            with suppress(CwError):  # which `cw` shows, too
                found = store.tasks.get(task)
                return found is not None and found.state is not State.DONE
            return False

        def row() -> dict[str, Any]:
            rows = () if waits() else self.json("history", "-n", "100")
            return next((one for one in rows if one["task"] == task), {})

        try:
            return wait_until(row, seconds, lambda: f"the end of {task}\n{self.logs()}")
        finally:
            store.connection.close()

    def logs(self) -> str:
        """What the host and the supervisor said last, for a test that fails."""
        found = []
        for name in ("host", "up"):
            path = self.home / "state" / "logs" / f"{name}.log"
            text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            found.append(f"--- {name}.log\n{text[-3000:]}")
        return "\n".join([*found, "--- cw hosts", self.cw("status").stdout])

    def archive(self, worker: str) -> dict[str, Any]:
        """The newest archive of a worker. A run is recorded first, and put away then."""
        home = Home(self.worker(worker))
        wait_until(lambda: not home.journal.exists(), what=f"the archive of {worker}")
        found = sorted(home.completed.glob("*.json"), key=lambda one: one.stat().st_mtime)
        data: dict[str, Any] = json.loads(found[-1].read_text(encoding="utf-8"))
        return data

    def up(self) -> None:
        self.ok("up", "-d")

    def down(self) -> None:
        self.cw("down")


def short_folder() -> Path:
    """Unix sockets have short names; pytest's folders are long."""
    return Path(tempfile.mkdtemp(prefix="cwt-"))


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
