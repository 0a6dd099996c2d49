"""Files of HOME that an agent must not write are there before it is."""

from __future__ import annotations

from cw.homes.layout import HAND_MADE, Home

_FOLDERS = {"run", "completed", ".ssh", ".claude", "plugins", *HAND_MADE}


def own_startup_files(home: Home) -> None:
    """What is not there cannot be bound: an agent could make it, for the next run to read."""
    for path in (home.claude, *home.host_owned):
        if path.is_symlink():
            path.unlink()
        if path.exists() or path in {home.zshenv, home.marker}:
            continue
        if path.name in _FOLDERS:
            path.mkdir(mode=0o700)
        else:
            path.touch(mode=0o600)
