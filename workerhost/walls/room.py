"""Where an agent is: what nearly everything about its walls depends on."""

from __future__ import annotations

from dataclasses import dataclass

from cw.homes.layout import Home
from cw.settings import Settings
from workerhost.walls.isolation import Wall


@dataclass(frozen=True, slots=True)
class Room:
    """A worker's HOME, behind this wall, as this host is set up."""

    home: Home
    wall: Wall
    settings: Settings
