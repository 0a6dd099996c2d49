"""A compose project of its own on a real engine, made from a copy of the checkout."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.rehearsals.world import API_KEY, TOKEN
from tests.waiting import wait_until

SERVICES = ("redis", "workerhost", "beat", "flower")
BACK_SECONDS = 120.0


@dataclass
class Stack:
    """A copy of the checkout, set up as a newcomer does, under a project name of its own."""

    folder: Path
    project: str

    def run(self, *command: str, stdin: str = "", patience: float = 900) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=_environment() | ({"GH_TOKEN": TOKEN, "ANTHROPIC_API_KEY": API_KEY}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{shlex.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def compose(self, *words: str) -> str:
        return self.run("docker", "compose", *words)

    def cw(self, *words: str, stdin: str = "") -> str:
        """Through the wrapper, without a terminal, as over ssh."""
        return self.run("deploy/cw", *words, stdin=stdin)

    def container(self, service: str) -> str:
        return f"{self.project}-{service}-1"

    def inspect(self, service: str, what: str) -> str:
        return self.run("docker", "inspect", "-f", what, self.container(service)).strip()

    def main_process(self, service: str) -> int:
        """On the engine's machine: the child of the container's init."""
        top = int(self.inspect(service, "{{.State.Pid}}"))
        children = Path(f"/proc/{top}/task/{top}/children").read_text(encoding="ascii").split()
        return int(children[0]) if children else top

    def healthy(self) -> bool:
        rows = self.compose("ps", "--format", "json", *SERVICES).splitlines()
        states = {one["Service"]: one["Health"] for one in map(json.loads, rows)}
        return states == dict.fromkeys(SERVICES, "healthy")

    def back(self) -> None:
        wait_until(self.healthy, BACK_SECONDS, lambda: self.compose("ps", "-a") + self.logs())

    def logs(self) -> str:
        return self.compose("logs", "--no-color", "--tail", "40")


def _environment() -> dict[str, str]:
    """Nothing of the person's own fleet takes part."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("CW_", "GH_"))}
    for one in ("GITHUB_TOKEN", "ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"):
        kept.pop(one, None)
    return {name: text for name, text in kept.items() if not name.startswith("COMPOSE_")}


def bridge_address() -> str:
    """This machine as containers see it."""
    return subprocess.run(
        ["docker", "network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Gateway}}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
