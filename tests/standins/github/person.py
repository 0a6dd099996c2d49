"""Somebody at a keyboard: real git and real gh, a folder, and the stand-in for GitHub."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .standin import GitHubStandIn

TIMEOUT = 30.0  # seconds; generous, for a machine with one busy core


class CommandError(AssertionError):
    """A command that was expected to succeed did not."""


@dataclass(kw_only=True)
class Person:
    hub: GitHubStandIn
    token: str
    home: Path
    gh_path: str = "gh"
    more_env: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Nothing of the machine but its PATH."""
        who = {f"GIT_{role}_NAME": "Somebody" for role in ("AUTHOR", "COMMITTER")}
        who |= {f"GIT_{role}_EMAIL": "somebody@localhost" for role in ("AUTHOR", "COMMITTER")}
        base = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C"}
        return base | who | self.hub.env(self.token, self.home / "gh") | dict(self.more_env)

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        self.home.mkdir(parents=True, exist_ok=True)
        return subprocess.run(
            command,
            cwd=cwd or self.home,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    def git(self, *args: str, cwd: Path | None = None) -> str:
        return self._succeed("git", *args, cwd=cwd)

    def gh(self, *args: str, cwd: Path | None = None) -> str:
        return self._succeed(self.gh_path, *args, cwd=cwd)

    def _succeed(self, *command: str, cwd: Path | None) -> str:
        done = self.run(*command, cwd=cwd)
        if done.returncode != 0:
            raise CommandError(f"{command} ended {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def clone(self, repo: str) -> Path:
        target = self.home / repo.replace("/", "-")
        self.git("clone", "--quiet", self.hub.clone_url(repo), str(target))
        return target

    def push_change(self, clone: Path, branch: str, files: Mapping[str, str]) -> str:
        """One commit on the branch, made if need be, and pushed; its sha."""
        self.git("checkout", "--quiet", "-B", branch, cwd=clone)
        for name, text in files.items():
            path = clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            self.git("add", name, cwd=clone)
        self.git("commit", "--quiet", "-m", f"Change {', '.join(files)}", cwd=clone)
        self.git("push", "--quiet", "-u", "origin", branch, cwd=clone)
        return self.git("rev-parse", "HEAD", cwd=clone)
