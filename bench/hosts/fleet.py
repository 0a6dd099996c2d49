"""The machines' hosts and beats, and the work they are given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.chaos.agentlog import NAME, AgentLog
from bench.hosts.broker import Broker
from bench.hosts.net import Net
from cw.broker.address import broker_url
from cw.broker.app import make_app, send_hint
from cw.homes.home import make_home, templates_dir
from cw.homes.layout import homes
from cw.keyring import load_keyring
from cw.models import TaskSpec
from cw.settings import load_settings
from cw.store.signing import prompt_sha256
from cw.store.store import Store, open_store
from tests.making import give_key, make_spec
from tests.walls import AROUND_REHEARSAL, AS_ROOT

ROOT = Path(__file__).parents[2]
AGENT = ROOT / "tests" / "standins" / "rehearsal_agent.py"
SCALED = {
    "CW_LEASE_TTL": "20",
    "CW_LEASE_RENEW": "2",
    "CW_LEASE_MARGIN": "8",
    "CW_SWEEP_EVERY": "2",
    "CW_STOP_GRACE": "1",
    "CW_SAME_FAILURES": "0",
    "CW_MAX_ATTEMPTS": "5",
    "CW_DEFER_SECONDS": "5",
    "CW_DEAF_AFTER": "0",
}


@dataclass
class Fleet:
    folder: Path
    net: Net
    broker: Broker
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = give_key(self.folder)
        self.repo = self.folder / "app"
        who = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
        _git("init", "-q", "-b", "main", str(self.repo))
        _git("-C", str(self.repo), *who, "commit", "-q", "--allow-empty", "-m", "First")

    @property
    def machines(self) -> list[str]:
        return [self.net.hub, *self.net.others]

    def env(self, machine: str, user: str) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "CW_CONFIG": str(self.folder / "none.toml"),
            "CW_BROKER_URL": self.broker.url(machine, user),
            "CW_BROKER_CA": str(self.broker.ca),
            "CW_SIGNING_KEY_FILE": self.key,
            "CW_WORKERS_ROOT": str(self.folder / machine / "workers"),
            "CW_STATE_DIR": str(self.folder / machine / "state"),
            "CW_HOST_NAME": machine,
            "CW_CLAUDE": str(AGENT),
            "CW_ISOLATION": AROUND_REHEARSAL,
            **AS_ROOT,
            "CW_SANDBOX_READ": ":".join({str(AGENT.parent), sys.prefix, sys.base_prefix}),
            **SCALED,
        }

    def start(self, workers: int) -> None:
        for machine in self.machines:
            for number in range(1, workers + 1):
                root = self.folder / machine / "workers"
                home = make_home(root, f"{machine}{number}", {}, templates_dir())
                with home.zshenv.open("a") as file:
                    file.write(f"\nexport CW_REHEARSAL_LOG={home.tmp / NAME}\n")
            for module in ("workerhost", "cw.services.beat"):
                with (self.folder / f"{machine}.log").open("ab") as log:
                    started = subprocess.Popen(
                        [*self.net.enter(machine), sys.executable, "-m", module],
                        env=self.env(machine, "host"),
                        cwd=self.folder,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                    )
                self.processes.append(started)

    def stop(self) -> None:
        for one in self.processes:
            one.terminate()
        for one in self.processes:
            one.wait(60)

    def hosts(self) -> dict[str, dict[str, Any]]:
        """What `cw hosts` says on the hub, to somebody who may dispatch."""
        done = subprocess.run(
            [*self.net.enter(self.net.hub), "cw", "hosts", "--json"],
            env=self.env(self.net.hub, "dispatcher"),
            capture_output=True,
            check=True,
            timeout=60,
        )
        return {one["host"]: one for one in json.loads(done.stdout)}

    def log(self) -> AgentLog:
        found = [homes(self.folder / machine / "workers") for machine in self.machines]
        return AgentLog([home.path for each in found for home in each])


@dataclass
class Desk:
    """Somebody who dispatches: the same records and messages as `cw dispatch`, many in a second."""

    fleet: Fleet
    sent: list[TaskSpec] = field(default_factory=list)

    def __post_init__(self) -> None:
        env = self.fleet.env(self.fleet.net.hub, "dispatcher")
        settings = load_settings(env)[0]
        self.store: Store = open_store(broker_url(settings), load_keyring(settings))
        self._app = make_app(settings)

    def dispatch(self, prompt: str, worker: str | None) -> None:
        repo = str(self.fleet.repo)
        spec = make_spec(
            repo=repo,
            repo_url=repo,
            repo_path=repo,
            repo_folder="git/app-12345678",
            github=False,
            issue=None,
            wanted_worker=worker,
            prompt_sha256=prompt_sha256(prompt),
            created_at=self.store.tasks.now(),
        )
        self.store.tasks.create(spec, prompt)
        send_hint(self._app, spec, worker)
        self.store.tasks.mark_hinted(spec.id, self.store.tasks.now())
        self.sent.append(spec)


def _git(*words: str) -> None:
    subprocess.run(["git", *words], check=True)
