"""Hosts with workers and their broker, as processes that can be killed and started again."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.chaos.agentlog import NAME, AgentLog
from bench.chaos.beats import Beats
from bench.chaos.broker import Broker
from bench.chaos.way import Way
from cw.homes.home import make_home, templates_dir
from cw.homes.layout import Home, homes
from tests.making import give_key
from tests.standins.authority import TRUST
from tests.standins.github import GitHubStandIn
from tests.walls import AROUND_REHEARSAL, AS_ROOT

ROOT = Path(__file__).parents[2]
AGENT = ROOT / "tests" / "standins" / "rehearsal_agent.py"
TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyzABCD"  # noqa: S105  the stand-in's
BEAT_SECONDS = 0.2  # of the agents' own log
LEASE_SECONDS = 6.0
PASS_SECONDS = 2.0  # over pull requests
LOCK_SECONDS = 12.0  # of one whose host was killed
SCALED = {
    "CW_LEASE_TTL": str(LEASE_SECONDS),
    "CW_LEASE_RENEW": "1",
    "CW_LEASE_MARGIN": "3",
    "CW_SWEEP_EVERY": "1",
    "CW_STOP_GRACE": "0.3",
    "CW_SAME_FAILURES": "0",  # what is broken here fails many alike
    "CW_RUN_REST": "3",
    "CW_DEFER_SECONDS": "2",
    "CW_ACCOUNT_PAUSE": "1",
    "CW_ACCOUNT_SPREAD": "0.1",
    "CW_MAX_DEFERRALS": "1000",
    "CW_MAX_ATTEMPTS": "1000",  # what is lost is told apart from what was given up
    "CW_GITHUB_PACE": "0",
    "CW_ASSIGN_REPOS": "acme/app",  # whose labels are looked after
    "CW_ASSIGN_EVERY": "0",
    "CW_RECONCILE_EVERY": "5",
    "CW_RECONCILE_GRACE": "6",
    "CW_PULLS_EVERY": str(PASS_SECONDS),
    "CW_PULLS_QUIET": "0",
}
FILES = {"README.md": "# App\n", "run.sh": "#!/bin/sh\n"}  # of each repository
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY")


@dataclass
class Host:
    """One `workerhost`; `process` is its present incarnation, `strikes` how often it was killed,
    frozen or told to leave.
    """

    name: str
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    frozen: bool = False
    strikes: int = 0

    @property
    def homes(self) -> list[Home]:
        return homes(self.folder / "workers")


@dataclass
class Fleet:
    folder: Path
    hub: GitHubStandIn
    mutant: str
    more: dict[str, str] = field(default_factory=dict)  # settings of its hosts
    hosts: list[Host] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.broker = Broker(self.folder)
        self.beats: Beats | None = None
        self.key = give_key(self.folder)
        self.way = Way(int(self.hub.url.rpartition(":")[2]))

    @property
    def homes(self) -> list[Home]:
        return [home for host in self.hosts for home in host.homes]

    def log(self) -> AgentLog:
        return AgentLog([home.path for home in self.homes])

    def add_host(self, name: str, workers: int) -> None:
        host = Host(name, self.folder / name)
        for number in range(1, workers + 1):
            # Two accounts over all hosts.
            tokens = {"GH_TOKEN": TOKEN, "ANTHROPIC_API_KEY": f"key-of-account-{number % 2}"}
            home = make_home(host.folder / "workers", f"{name}{number}", tokens, templates_dir())
            with home.zshenv.open("a") as file:
                file.write(f"\nexport CW_REHEARSAL_LOG={home.tmp / NAME}\n")
                file.write(f"export CW_REHEARSAL_BEAT={BEAT_SECONDS}\n")
        self.hosts.append(host)

    def env(self, host: Host) -> dict[str, str]:
        """Git goes to GitHub over https, by way of a proxy; the API is asked without."""
        assert self.hub.authority
        proxy = dict.fromkeys(PROXIES[:4], self.way.url) | dict.fromkeys(PROXIES[4:], "127.0.0.1")
        return {
            "HOME": str(self.folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "CW_CONFIG": str(self.folder / "none.toml"),
            "CW_BROKER_URL": self.broker.url,
            "CW_WORKERS_ROOT": str(host.folder / "workers"),
            "CW_STATE_DIR": str(host.folder / "state"),
            "CW_HOST_NAME": host.name,
            "CW_SIGNING_KEY_FILE": self.key,
            "CW_CLAUDE": str(AGENT),
            "CW_ISOLATION": AROUND_REHEARSAL,
            **AS_ROOT,
            "CW_SANDBOX_READ": ":".join(
                {str(AGENT.parent), sys.prefix, sys.base_prefix, str(self.hub.authority.folder)}
            ),
            "CW_AGENT_ENV": " ".join([*PROXIES, *TRUST]),
            "CW_GITHUB_API_URL": f"{self.hub.url}/api/v3",
            "CW_GITHUB_URL": self.hub.base_url,
            "CW_ALLOWED_DOMAINS": "*.localhost",
            "GH_TOKEN": TOKEN,
            "CW_CHAOS_MUTANT": self.mutant,
            **SCALED,
            **self.more,
            **proxy,
            **self.hub.trust(),
        }

    def start(self, host: Host) -> None:
        module = "bench.chaos.mutant_host" if self.mutant else "workerhost"
        with (self.folder / f"{host.name}.log").open("ab") as log:
            host.process = subprocess.Popen(
                [sys.executable, "-m", module],
                env=self.env(host),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def start_beats(self) -> None:
        self.beats = Beats(self.folder, self.env(self.hosts[0]))
        for name in ("beat1", "beat2"):
            self.beats.start(name)

    def start_again(self, **more: str) -> None:
        """All hosts, with these settings beside their own."""
        self.more = more
        for host in self.hosts:
            host.frozen = True  # not to be revived meanwhile
            self.kill(host)
            self.start(host)
            host.frozen = False

    def kill(self, host: Host) -> None:
        if host.process:
            host.process.kill()
            host.process.wait()

    def revive(self) -> list[str]:
        """Start again what ended by itself; a supervisor would. Returns which."""
        ended = [
            one
            for one in self.hosts
            if one.process and not one.frozen and one.process.poll() is not None
        ]
        for host in ended:
            self.start(host)
        if self.beats:
            self.beats.revive()
        return [one.name for one in ended]

    def agent_of(self, home: Home) -> psutil.Process | None:
        """The agent's own process behind its shim and wall, while it lives."""
        with suppress(OSError, ValueError, psutil.Error):
            shim = psutil.Process(int(json.loads(home.shim.read_bytes())["pid"]))
            for one in shim.children(recursive=True):
                if one.name() != "bwrap" and any(AGENT.name in word for word in one.cmdline()):
                    return one
        return None

    def shim_of(self, home: Home) -> psutil.Process | None:
        with suppress(OSError, ValueError, psutil.Error):
            shim = psutil.Process(int(json.loads(home.shim.read_bytes())["pid"]))
            return shim if any("shim.py" in word for word in shim.cmdline()) else None
        return None

    def fork_server_of(self, host: Host) -> psutil.Process | None:
        """What starts its commands; None while it has nothing to start."""
        with suppress(psutil.Error):
            for child in psutil.Process(host.process.pid).children() if host.process else ():
                if any("fork_server.py" in word for word in child.cmdline()):
                    return child
        return None

    def left_over(self) -> list[str]:
        """Processes of agents, walls, shims and ways to the network, wherever they hang by now. The
        last know no folder, but where our GitHub is.
        """
        marks = (str(self.folder).encode(), self.hub.url.encode(), self.way.url.encode())
        mine = {os.getpid()}
        mine |= {self.broker.process.pid} if self.broker.process else set()
        mine |= {one.process.pid for one in self.hosts if one.process}
        mine |= {one.pid for one in self.beats.processes.values()} if self.beats else set()
        found = []
        for one in psutil.process_iter():
            with suppress(OSError, psutil.Error):
                place = Path(f"/proc/{one.pid}")
                words = (place / "environ").read_bytes() + (place / "cmdline").read_bytes()
                known = any(mark in words for mark in marks)
                if one.pid not in mine and known and one.status() != "zombie":
                    found.append(" ".join(one.cmdline())[:100])
        return found


@contextmanager
def fleet(
    hub_setup: Callable[[GitHubStandIn], None], hosts: int, workers: int, mutant: str
) -> Iterator[Fleet]:
    # A socket's path may have about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="cwc-"))
    with GitHubStandIn(folder / "hub", https=True) as hub:
        hub_setup(hub)
        made = Fleet(folder, hub, mutant)
        try:
            for number in range(hosts):
                made.add_host("abcdefgh"[number], workers)
            made.broker.start()
            for host in made.hosts:
                made.start(host)
            made.start_beats()
            yield made
        finally:
            _end(made)
            if os.environ.get("CW_CHAOS_KEEP"):
                print(f"kept: {folder}")
            else:
                shutil.rmtree(folder, ignore_errors=True)


def _end(made: Fleet) -> None:
    if made.beats:
        made.beats.end()
    for host in made.hosts:
        made.kill(host)
    for home in made.homes:
        shim = made.shim_of(home)
        if shim:
            with suppress(psutil.Error):
                shim.terminate()
                shim.wait(10)
    made.broker.kill()
    made.way.end()


def make_repo(folder: Path) -> Path:
    """A repository with one commit."""
    who = ["-c", "user.name=Chaos", "-c", "user.email=chaos@example.invalid"]
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    for args in (["add", "--all"], [*who, "commit", "-q", "-m", "First"]):
        subprocess.run(["git", "-C", str(folder), *args], check=True)
    return folder


def pick(dice: random.Random, hosts: list[Host]) -> Host | None:
    able = [one for one in hosts if not one.frozen]
    return dice.choice(able) if able else None
