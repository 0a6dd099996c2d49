"""A command on a terminal of 80 columns, if nothing else is said, and 24 lines."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

CW = Path(sys.executable).with_name("cw")
COLUMNS = 80
LINES = 24
_SECONDS = 20
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def plain(text: str) -> str:
    """Without colours and movements."""
    return _CONTROLS.sub("", text)


class Terminal:
    """`cw` with these words; `text` is what it wrote so far."""

    def __init__(
        self, env: Mapping[str, str], *words: str, program: Path = CW, columns: int = COLUMNS
    ) -> None:
        self.text = ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
        self.process = subprocess.Popen(
            [str(program), *words],
            env={**env, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._mine)

    def type(self, text: str) -> None:
        os.write(self._mine, text.encode())

    def wait_for(self, text: str, times: int = 1) -> None:
        self._read(lambda: self.text.count(text) >= times)

    def finish(self) -> int:
        """Its exit status, once it has ended and all is read."""
        self._read(lambda: False)
        return self.process.wait(_SECONDS)

    def _read(self, enough: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SECONDS
        while not enough():
            assert time.monotonic() < deadline, self.text
            if not select.select([self._mine], [], [], 0.1)[0]:
                continue
            try:
                self.text += self._decode(os.read(self._mine, 1 << 16))
            except OSError:  # nobody has the terminal open any more
                return
