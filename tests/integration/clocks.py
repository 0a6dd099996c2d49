"""A wall clock of its own for hosts, beats and brokers of a test, and for all that they start."""

from __future__ import annotations

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.needs import need

SOURCE = Path(__file__).parents[1] / "standins" / "clock.c"


@dataclass(frozen=True, slots=True)
class Clock:
    """Lives in one folder. `preload`: for what shall go by it."""

    folder: Path

    def set(self, seconds: int) -> None:
        """So far from the clock of the tests; negative: behind it. At once, for what runs, too."""
        mode = "r+b" if self._shift.exists() else "wb"
        with self._shift.open(mode) as file:  # never shorter: others look at it in their memory
            file.write(struct.pack("=q", seconds))

    def build(self) -> None:
        own = [f'-DSHIFT="{self._shift}"', f'-DLIBRARY="{self._library}"']
        shared = ["-O1", "-Wall", "-Werror", "-shared", "-fPIC"]
        subprocess.run(
            [need("cc"), *shared, *own, "-o", str(self._library), str(SOURCE)], check=True
        )

    @property
    def preload(self) -> str:
        return str(self._library)

    @property
    def _library(self) -> Path:
        return self.folder / "clock.so"

    @property
    def _shift(self) -> Path:
        return self.folder / "shift"
