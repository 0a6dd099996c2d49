"""Where things lie in a worker's HOME."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cw.names import is_worker_id

MARKER = ".cw.json"
LOCK = ".host.lock"  # beside the HOMEs: held by the one host process that they have
# Folders of .claude in which a person puts what claude reads at its start.
HAND_MADE = ("commands", "agents", "skills", "hooks", "rules", "output-styles")


@dataclass(frozen=True, slots=True)
class Home:
    """A worker's HOME. `run` and `completed` are the host's: the agent can read them only."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def marker(self) -> Path:
        """Says that this folder is a worker's HOME."""
        return self.path / MARKER

    @property
    def zshenv(self) -> Path:
        return self.path / ".zshenv"

    @property
    def claude(self) -> Path:
        return self.path / ".claude"

    @property
    def clones(self) -> Path:
        return self.path / "github"

    @property
    def completed(self) -> Path:
        return self.path / "completed"

    @property
    def tmp(self) -> Path:
        return self.path / "tmp"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def journal(self) -> Path:
        return self.run / "task.json"

    @property
    def keeper(self) -> Path:
        """Which host has the run, and how many died with it."""
        return self.run / "keeper.json"

    @property
    def log(self) -> Path:
        """What the agent program writes on its standard output; an agent can write to it, too."""
        return self.run / "worker.log"

    @property
    def errors(self) -> Path:
        """Its standard error."""
        return self.run / "worker.err"

    @property
    def prompt(self) -> Path:
        return self.run / "prompt.txt"

    @property
    def wanted(self) -> Path:
        """What the task was dispatched with; `prompt` is what the agent is told."""
        return self.run / "wanted.txt"

    @property
    def system_prompt(self) -> Path:
        return self.run / "system.md"

    @property
    def policy(self) -> Path:
        return self.run / "policy.json"

    @property
    def refs(self) -> Path:
        """The remote's branches and tags when the run began."""
        return self.run / "refs.json"

    @property
    def github(self) -> Path:
        """What gh and git of an agent read an App's token from. The host renews it."""
        return self.run / "github"

    @property
    def ignored(self) -> Path:
        """What git is to overlook in the clone."""
        return self.run / "ignored"

    @property
    def door(self) -> Path:
        """The socket by which the agent's proxy is reached."""
        return self.run / "net"

    @property
    def host_owned(self) -> tuple[Path, ...]:
        """What the agent must not write: the host's files, and what makes the next run's
        environment and rules. claude itself sources the shells' files, outside its sandbox.
        """
        names = (".gitconfig", ".ssh", ".bashrc", ".bash_profile", ".profile", ".zshrc")
        rules = ("CLAUDE.md", "settings.json", *HAND_MADE, "plugins")
        return (
            self.run,
            self.completed,
            self.marker,
            self.zshenv,
            *map(self.claude.joinpath, rules),
            *map(self.path.joinpath, names),
        )

    @property
    def shim(self) -> Path:
        """Which process the run's shim is."""
        return self.run / "shim.json"

    @property
    def exit(self) -> Path:
        """How the agent ended: there once nothing of its processes is left."""
        return self.run / "exit.json"


def stays_inside(home: Home, path: Path) -> bool:
    """Whether a path below HOME still is there once links are followed: the agent makes links."""
    return path.resolve().is_relative_to(home.path.resolve())


def in_place(home: Home, path: Path) -> bool:
    """Whether a path below HOME is what it says, and no link anywhere on its way below HOME. Asked
    some fourteen times for each command behind a wall: resolving each was 18 % of a busy host's CPU
    (Python 3.11).
    """
    at = str(home.path)
    for part in path.relative_to(home.path).parts:
        at = f"{at}/{part}"
        if part == os.pardir or os.path.islink(at):  # noqa: PTH114  a Path each would cost it again
            return False
    return True


def homes(root: Path) -> list[Home]:
    """Every worker's HOME below the root, by id."""
    if not root.is_dir():
        return []
    found = (Home(folder) for folder in sorted(root.iterdir()) if not folder.is_symlink())
    return [home for home in found if is_worker_id(home.id) and home.marker.is_file()]
