"""Whether this host can run agents at all. One that cannot takes nothing, and fails nothing."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cw.errors import CwError
from cw.settings import Settings
from workerhost.agents.claude import MIN_VERSION, claude_version, find_claude, new_enough


@dataclass(frozen=True, slots=True)
class Fitness:
    """`unfit` says why not, and what to do; empty when it can."""

    version: str
    unfit: str


def fitness(settings: Settings, environ: Mapping[str, str]) -> Fitness:
    """Cheap enough for each tick: the binary is asked again only when it has changed."""
    try:
        path = find_claude(settings, environ)
        version = version_of(path)
    except (CwError, OSError) as error:
        return Fitness("missing", error.line() if isinstance(error, CwError) else str(error))
    if not new_enough(version):
        wanted = ".".join(str(part) for part in MIN_VERSION)
        return Fitness(version, f"claude {version} is older than {wanted}. cw doctor says more")
    return Fitness(version, _no_room(settings))


def _no_room(settings: Settings) -> str:
    try:
        free = shutil.disk_usage(settings.workers_root).free >> 20
    except OSError:  # no workers yet
        return ""
    if free >= settings.min_free_mb:
        return ""
    wanted = settings.min_free_mb
    return f"only {free} MB are free below {settings.workers_root}, wanted are {wanted}"


def version_of(claude: Path) -> str:
    """Asked again only when the binary has changed. Raises CwError or OSError."""
    return _version(claude, claude.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _version(path: Path, changed_ns: int) -> str:  # noqa: ARG001  part of the key
    return claude_version(path)
