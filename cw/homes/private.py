"""A HOME holds logins: what of it others than its owner may use."""

from __future__ import annotations

from pathlib import Path

from cw.homes.layout import Home
from cw.private import open_to_others


def open_files(home: Home) -> list[Path]:
    """What holds this worker's logins and may be used by others than its owner."""
    ssh = home.path / ".ssh"
    return [path for path in (home.path, home.zshenv, ssh, *ssh.glob("*")) if open_to_others(path)]
