"""Which processes belong to a HOME, whatever their parent, group, session or pid namespace."""

import time
from collections.abc import Callable
from pathlib import Path

DEADLINE_S = 60.0


def until(holds: Callable[[], object], what: str, timeout_s: float = DEADLINE_S) -> None:
    end = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout_s} s for {what}")
        time.sleep(0.02)


def alive_in(home: Path) -> list[int]:
    """Zombies do not count: only their parent's slowness keeps them."""
    mark = f"HOME={home}".encode()
    return [pid for pid in _pids() if mark in _read(pid, "environ").split(b"\0") and _runs(pid)]


def commands_in(home: Path) -> list[str]:
    return [
        _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
        for pid in alive_in(home)
    ]


def _pids() -> list[int]:
    return [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]


def _runs(pid: int) -> bool:
    state = _read(pid, "stat").rpartition(b") ")[2][:1]
    return state not in {b"", b"Z", b"X"}


def _read(pid: int, name: str) -> bytes:
    try:
        return Path("/proc", str(pid), name).read_bytes()
    except OSError:  # ended meanwhile
        return b""
