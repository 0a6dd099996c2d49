"""What cannot be used or judged any more is kept as it is, in `set-aside/` of its HOME."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cw.homes.layout import Home
from cw.homes.owner import make_folders

_ASIDE = "set-aside"


def set_aside(home: Home, clone: Path, name: str) -> str:
    """Move a clone away as it is, so that the next task begins with a new one. Where it is now;
    empty when it stayed. Whatever lies at our place, a link of an agent's for one, is moved first.
    """
    folder = home.path / _ASIDE
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    target = folder / f"{clone.name}-{name}-{stamp}"
    with suppress(OSError):
        if folder.is_symlink() or (os.path.lexists(folder) and not folder.is_dir()):
            folder.rename(folder.with_name(f"{_ASIDE}.{stamp}"))
        make_folders(folder)
        clone.parent.chmod(0o700)  # an agent may have taken its rights away
        clone.rename(target)
        return str(target)
    return ""
