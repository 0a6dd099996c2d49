"""Two real beats on one broker, as two machines with `cw up` have them."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

_MODULE = "cw.services.beat"


@dataclass
class Beats:
    """Each with a state folder of its own below `folder`; `env`: the hosts' settings."""

    folder: Path
    env: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", _MODULE],
                env=self.env | {"CW_STATE_DIR": str(self.folder / name)},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill_one(self, dice: random.Random) -> str:
        name = dice.choice(sorted(self.processes))
        self._end(name)
        self.start(name)
        return name

    def revive(self) -> None:
        """Start again what ended by itself; a supervisor would."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.start(name)

    def end(self) -> None:
        for name in list(self.processes):
            self._end(name)
            del self.processes[name]

    def _end(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait()
