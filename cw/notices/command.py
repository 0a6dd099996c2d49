"""`command:/path/to/program ARGS`: started with the notice as JSON on standard input.

It runs as whoever runs the host, outside of every wall, and sees none of the host's logins.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from cw.errors import BadInputError, NotSentError
from cw.notices.notice import Notice

_SECONDS = 30.0
_SEES = ("HOME", "LANG", "LC_ALL", "PATH", "TZ", "USER")


class CommandNotifier:
    def __init__(self, place: str, _secret: str) -> None:
        """Raises BadInputError."""
        try:
            self._command = shlex.split(place)
        except ValueError:
            self._command = []
        if not self._command or not Path(self._command[0]).is_absolute():
            raise BadInputError(
                "the program of a notifier cannot be used", hint="It is command:/path/to/program"
            )

    def send(self, notice: Notice) -> None:
        """Raises NotSentError."""
        try:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _SEES if name in os.environ},
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise NotSentError(f"it cannot be started ({error.strerror})") from error
        try:
            process.communicate(notice.model_dump_json().encode() + b"\n", _SECONDS)
        except subprocess.TimeoutExpired as error:
            raise NotSentError(f"it did not end within {_SECONDS:.0f} s") from error
        finally:
            _end(process)
        if process.returncode:
            raise NotSentError(f"it ended with exit status {process.returncode}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """With what it started: the group is its own, also when it is gone itself."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
