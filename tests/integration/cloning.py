"""A worker with a HOME, a stand-in for GitHub, and git as the host runs it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from cw.credentials.agentenv import agent_environment
from cw.homes.home import make_home, templates_dir
from cw.homes.layout import Home
from cw.homes.owner import give_tree
from cw.models import TaskSpec
from cw.settings import Settings
from tests.making import make_spec
from tests.standins.github import GitHubStandIn
from tests.waiting import wait_until
from tests.walls import outer_wall, owned
from workerhost.clones import evidence
from workerhost.clones.evidence import Pushed
from workerhost.clones.git import Git
from workerhost.clones.quarantine import quarantined
from workerhost.clones.workspace import GitState, Workspace

REPO = "acme/app"
SAFE = Path(__file__).with_name("safe.gitconfig")  # also where agents run as another user


@dataclass(frozen=True)
class Worker:
    """One identity. `hub` is None when its repositories lie on this machine."""

    home: Home
    settings: Settings
    hub: GitHubStandIn | None = None
    path: str = "/usr/bin:/bin"

    @classmethod
    def make(cls, root: Path, hub: GitHubStandIn | None = None) -> Worker:
        home = owned(make_home(root / "workers", "01", {"GH_TOKEN": "bot-token"}, templates_dir()))
        url = hub.base_url if hub else "https://github.com"
        api = hub.api_url if hub else "https://api.github.com"
        settings = Settings(
            workers_root=root / "workers",
            state_dir=root / "state",
            github_url=url,
            github_api_url=api,
            github_pace=0,
            agent_env=tuple(hub.way()) if hub else (),
            sandbox_read=(hub.authority.folder,) if hub and hub.authority else (),
        )
        return cls(home, settings, hub)

    def spec(self, **changed: Any) -> TaskSpec:
        url = f"{self.hub.base_url}/{REPO}.git" if self.hub else ""
        return make_spec(**{"repo_url": url, **changed})

    def path_spec(self, repo: Path, **changed: Any) -> TaskSpec:
        place = {"repo": str(repo), "repo_url": str(repo), "repo_path": str(repo)}
        return make_spec(
            **place, repo_folder="git/app-12345678", github=False, issue=None, **changed
        )

    def git(self, spec: TaskSpec) -> Git:
        here = {"PATH": self.path} | (self.hub.way() if self.hub else {})
        env = agent_environment(self.home, self.settings, here)
        origin = Path(spec.repo_path) if spec.repo_path else None
        return Git(self.home, outer_wall(), env, self.settings, origin, url=spec.repo_url)


def inspect(git: Git, place: Workspace) -> GitState:
    with quarantined(git, place) as box:
        return evidence.inspect(box)


def push(git: Git, place: Workspace, seen: GitState | None = None) -> Pushed:
    """As settling does, of what was `seen` before or is there now."""
    with quarantined(git, place) as box:
        state = evidence.inspect(box)
        return evidence.push(box, place, seen or state)


def run(at: Path, *args: str, stdin: bytes = b"") -> str:
    """git as an agent in its clone, or a person at the repository."""
    who = ["-c", "user.name=Agent", "-c", "user.email=agent@example.invalid"]
    env = os.environ | {"GIT_CONFIG_GLOBAL": str(SAFE)}
    argv = ["git", *who, *args]
    done = subprocess.run(argv, cwd=at, env=env, input=stdin, capture_output=True, check=False)
    give_tree(at)
    done.check_returncode()
    return done.stdout.decode().strip()


def commit(at: Path, name: str, text: str = "x\n") -> str:
    (at / name).write_text(text, "utf-8")
    run(at, "add", name)
    run(at, "commit", "-q", "-m", f"Add {name}")
    return run(at, "rev-parse", "HEAD")


@contextmanager
def fork_server_killed(once: Callable[[], bool]) -> Iterator[None]:
    """What starts commands for this process is killed in the middle of one."""

    def kill() -> None:
        wait_until(once, what="the command")
        for child in psutil.Process().children():
            if any("fork_server.py" in word for word in child.cmdline()):
                child.kill()

    with ThreadPoolExecutor() as pool:
        killed = pool.submit(kill)
        yield
        killed.result()
