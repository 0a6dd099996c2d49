"""Whether this host can run agents at all. One that cannot takes nothing, and fails nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cw.errors import CwError
from cw.settings import Settings
from workerhost.programs.runner import Runner, Version
from workerhost.walls.isolation import INNER


@dataclass(frozen=True, slots=True)
class Fitness:
    """`unfit` says why not, and what to do; empty when it can."""

    version: str
    unfit: str


def fitness(runner: Runner, settings: Settings, environ: Mapping[str, str]) -> Fitness:
    """Cheap enough for each tick: the binary is asked again only when it has changed."""
    try:
        version = version_of(runner, runner.find(settings, environ))
    except (CwError, OSError) as error:
        return Fitness("missing", error.line() if isinstance(error, CwError) else str(error))
    if version.wanted:
        older = f"{runner.name} {version.text} is older than {version.wanted}"
        return Fitness(version.text, f"{older}. cw doctor says more")
    return Fitness(version.text, lacks_inner(runner, settings) or _no_room(settings))


def lacks_inner(runner: Runner, settings: Settings) -> str:
    """Why the walls that were asked for cannot be had with this program; empty when they can."""
    if runner.inner or settings.isolation not in INNER:
        return ""
    return f"{runner.name} has no sandbox of its own: CW_ISOLATION=outer is bubblewrap alone"


def _no_room(settings: Settings) -> str:
    try:
        free = shutil.disk_usage(settings.workers_root).free >> 20
    except OSError:  # no workers yet
        return ""
    if free >= settings.min_free_mb:
        return ""
    wanted = settings.min_free_mb
    return f"only {free} MB are free below {settings.workers_root}, wanted are {wanted}"


def version_of(runner: Runner, binary: Path) -> Version:
    """Asked again only when the binary has changed. Raises CwError or OSError."""
    return _version(runner.version, binary, binary.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _version(
    asked: Callable[[Path], Version],
    binary: Path,
    changed_ns: int,  # noqa: ARG001  part of the key
) -> Version:
    return asked(binary)
