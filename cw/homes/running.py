"""Whether a run is under way in a HOME: its shim lives, whoever started it."""

from __future__ import annotations

from cw import processid
from cw.homes.files import read_json
from cw.homes.layout import Home


def shim_lives(home: Home) -> bool:
    """Whether the HOME's shim runs: same number, same start, same boot."""
    data = read_json(home.shim)
    if not data or data.get("boot") != processid.boot_id():
        return False
    pid, start = data.get("pid"), data.get("start")
    return bool(start) and isinstance(pid, int) and processid.start_time(pid) == start
