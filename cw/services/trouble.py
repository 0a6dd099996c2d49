"""trouble.json: why a service of this machine does not run, in one sentence each.

It outlives `cw up`, so that whoever asks afterwards is told more than "start it".
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from cw.homes.files import read_json, write_private
from cw.settings import Settings


def trouble_file(settings: Settings) -> Path:
    return settings.state_dir / "trouble.json"


def read(settings: Settings) -> dict[str, str]:
    """By the service's name; what cannot be read is no trouble."""
    known = read_json(trouble_file(settings)) or {}
    return {name: why for name, why in known.items() if isinstance(why, str)}


def keep(settings: Settings, name: str, why: str) -> None:
    _write(settings, read(settings) | {name: why})


def over(settings: Settings, name: str) -> None:
    known = read(settings)
    if known.pop(name, None) is not None:
        _write(settings, known)


def _write(settings: Settings, known: dict[str, str]) -> None:
    with suppress(OSError):  # a full disk must not end what runs
        if known:
            write_private(trouble_file(settings), json.dumps(known, indent=2).encode())
        else:
            trouble_file(settings).unlink(missing_ok=True)
