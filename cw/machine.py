"""Which machine this is, and how it is doing."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from cw.homes.files import write_private

_FILE = ".machine"


def machine_id(root: Path) -> str:
    """Made once beside the HOMEs: who has them is the same machine, under whatever name."""
    kept = known_id(root)
    if not kept:
        kept = secrets.token_hex(8)
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(root / _FILE, kept.encode())
    return kept


def known_id(root: Path) -> str:
    """Empty before it was made."""
    try:
        return (root / _FILE).read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


@dataclass(frozen=True, slots=True)
class Vitals:
    """`load`: the mean of a minute. Megabytes: what is left."""

    load: float
    cores: int
    memory_mb: int
    disk_mb: int


def vitals(root: Path) -> Vitals:
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    return Vitals(
        load=round(psutil.getloadavg()[0], 2),
        cores=psutil.cpu_count() or 1,
        memory_mb=psutil.virtual_memory().available >> 20,
        disk_mb=shutil.disk_usage(there).free >> 20,
    )
