"""A worker with a HOME, a stand-in for GitHub, and git as the host runs it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cw.models import TaskSpec
from cw.settings import Settings
from tests.making import make_spec
from tests.standins.github import GitHubStandIn
from tests.walls import outer_wall
from workerhost.clones.git import Git
from workerhost.credentials.agentenv import agent_environment
from workerhost.homes.home import make_home, templates_dir
from workerhost.homes.layout import Home

REPO = "acme/app"


@dataclass(frozen=True)
class Worker:
    """One identity. `hub` is None when its repositories lie on this machine."""

    home: Home
    settings: Settings
    hub: GitHubStandIn | None = None

    @classmethod
    def make(cls, root: Path, hub: GitHubStandIn | None = None) -> Worker:
        home = make_home(root / "workers", "01", {"GH_TOKEN": "bot-token"}, templates_dir())
        url = hub.base_url if hub else "https://github.com"
        api = hub.api_url if hub else "https://api.github.com"
        settings = Settings(
            workers_root=root / "workers",
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
        here = {"PATH": "/usr/bin:/bin"} | (self.hub.way() if self.hub else {})
        env = agent_environment(self.home, self.settings, here)
        origin = Path(spec.repo_path) if spec.repo_path else None
        return Git(self.home, outer_wall(), env, self.settings, origin, url=spec.repo_url)


def run(at: Path, *args: str) -> str:
    """git as an agent in its clone, or a person at the repository."""
    who = ["-c", "user.name=Agent", "-c", "user.email=agent@example.invalid"]
    done = subprocess.run(["git", *who, *args], cwd=at, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(at: Path, name: str, text: str = "x\n") -> str:
    (at / name).write_text(text, "utf-8")
    run(at, "add", name)
    run(at, "commit", "-q", "-m", f"Add {name}")
    return run(at, "rev-parse", "HEAD")
