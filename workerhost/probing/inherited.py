"""What a process has from the one that started it, or from its machine, and that is no file: one of
each, with a word of ours in it.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cw.homes.agent_user import AgentUser
from workerhost.walls.keyring import add_key
from workerhost.walls.stepdown import step_down

_SHM = Path("/dev/shm")  # noqa: S108  where POSIX shared memory is
_IPC_CREAT, _IPC_RMID = 0o1000, 0
_SECONDS = 120
# Ends of a signal whose default is to be overlooked, and with the host, which holds its input.
_VICTIM = "trap 'exit 7' URG; exec 3<&0; echo ready; cat <&3 >&2 & wait"


@dataclass(frozen=True, slots=True)
class Inherited:
    """`word` is the name of the key, of what is shared and of what is open; `shm` the key of the
    System V segment; `victim` a process of the agents' own user outside.
    """

    word: str
    shm: int
    victim: subprocess.Popen[str]

    def reached(self) -> str:
        """What shows from outside; empty when nothing does."""
        ended = self.victim.poll() is not None
        return "a process outside, with a signal" if ended else ""


@contextmanager
def inherited(user: AgentUser | None) -> Iterator[Inherited]:
    """For what this thread starts meanwhile."""
    word = f"cw-canary-{secrets.token_hex(8)}"
    number = secrets.randbits(30) + 1
    libc = ctypes.CDLL(None, use_errno=True)
    segment = libc.shmget(number, 4096, _IPC_CREAT | 0o666)
    shared = _SHM / word
    add_key(word, _SECONDS)
    with _victim(user) as victim, tempfile.NamedTemporaryFile(prefix=word) as opened:
        os.set_inheritable(opened.fileno(), True)
        with suppress(OSError):
            shared.write_text(word, "ascii")
            shared.chmod(0o666)
        try:
            yield Inherited(word, number, victim)
        finally:
            with suppress(OSError):
                shared.unlink()
            if segment >= 0:
                libc.shmctl(segment, _IPC_RMID, None)


@contextmanager
def _victim(user: AgentUser | None) -> Iterator[subprocess.Popen[str]]:
    """Signals are refused by whose a process is, so it is whose the agents are."""
    with subprocess.Popen(
        [*step_down(user), "/bin/sh", "-c", _VICTIM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=os.environ | {"PATH": os.defpath},  # `cat`, whatever the host's own PATH lacks
        text=True,
        start_new_session=True,
    ) as process:
        try:
            if process.stdout and process.stdout.readline() != "ready\n":
                raise OSError("no process of the agents' user starts")
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
