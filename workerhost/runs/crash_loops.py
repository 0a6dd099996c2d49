"""Runs whose hosts die. Who has a run says so in its HOME; when that host is gone without a word,
it died with the run. After some such deaths the run is taken up before all others and alone, to see
whether it is the cause: if the host dies again, it is.
"""

from __future__ import annotations

import os
from contextlib import suppress
from enum import Enum
from typing import Any

from cw.homes.files import read_json, write_private
from cw.homes.layout import Home
from cw.models import MALFORMED, Model
from workerhost import shim


class Standing(Enum):
    TRUSTED = "taken up with the others"
    SUSPECT = "taken up alone"
    GUILTY = "its host died while it was alone"


class Keeper(Model):
    """`host`: process and start of the one that has the run; empty: it left in good order."""

    host: str = ""
    deaths: int = 0
    alone: bool = False


def take(home: Home, limit: int) -> Standing:
    """To be called once by each host process for each run it finds. `limit`: deaths before it is
    suspect.
    """
    before = _read(home)
    died = before is None or bool(before.host)
    deaths = (before.deaths if before else 0) + died
    if died and before and before.alone:
        return Standing.GUILTY
    _write(home, Keeper(host=_ourselves(), deaths=deaths))
    return Standing.SUSPECT if deaths >= limit else Standing.TRUSTED


def alone(home: Home) -> None:
    """From now on it is this run that the host dies of, if it dies."""
    _change(home, alone=True)


def clear(home: Home) -> None:
    """Its host has lived on with it."""
    _change(home, alone=False)


def leave(home: Home) -> None:
    """The host ends in good order, and leaves the run to the next one."""
    _change(home, host="", alone=False)


def _change(home: Home, **changed: Any) -> None:
    if home.journal.exists():  # else the run is over
        _write(home, (_read(home) or Keeper()).model_copy(update=changed))


def _ourselves() -> str:
    here = shim.process_id(os.getpid())
    return f"{here['boot']}:{here['pid']}:{here['start']}"


def _read(home: Home) -> Keeper | None:
    try:
        return Keeper.model_validate(read_json(home.keeper))
    except MALFORMED:
        return None


def _write(home: Home, keeper: Keeper) -> None:
    with suppress(OSError):  # a full disk makes a suspect too few, not a host too few
        write_private(home.keeper, keeper.model_dump_json().encode())
