"""`python -m bench.recording FILE`: script/demo on a terminal, really run, as a moving picture.

Longer pauses are shortened, the introduction is left out, and this machine's name becomes another;
everything else is what was written. Exit status 0: the demo came out as it should.
"""

from __future__ import annotations

import codecs
import fcntl
import getpass
import os
import pty
import re
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

from bench.recording.film import Frame, film
from bench.recording.screen import Screen

ROOT = Path(__file__).parents[2]
COLUMNS, ROWS = 76, 24
_BEGIN, _END = "# Three issues", "# The end"
_SHORTEST, _LONGEST = 0.2, 0.7  # seconds that a frame stands, however long it really did
_READ, _LAST = 2.2, 7.0  # before the next title, and at the end
_TITLE = re.compile(r"^\x1b\[1m# ", re.MULTILINE)
_MACHINE = "laptop"
_MOST = 200_000  # bytes
_ABOUT = (
    "script/demo on a terminal: three issues are dispatched, two become pull requests, and an agent"
    " that says so without having done it is shown as failed."
)


def main() -> int:
    written = list(_run([str(ROOT / "script" / "demo"), *sys.argv[2:]]))
    picture = film(_frames(_cut(written)), COLUMNS, ROWS, _ABOUT)
    save(Path(sys.argv[1]), picture)
    return 0


def _run(command: list[str]) -> Iterator[tuple[float, str]]:
    """What it wrote, and after how many seconds. Raises CalledProcessError."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    child = subprocess.Popen(
        command,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    decode, began = codecs.getincrementaldecoder("utf-8")().decode, time.monotonic()
    while part := _read(mine):
        yield time.monotonic() - began, _elsewhere(decode(part))
    if code := child.wait():
        raise subprocess.CalledProcessError(code, command)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # nobody has it open any more
        return b""


def _elsewhere(text: str) -> str:
    """On another machine, in a folder with a plain name."""
    text = re.sub(rf"\b{re.escape(socket.gethostname())}\b", _MACHINE, text)
    return re.sub(r"(cw-demo)\.\w+", r"\1", text)


def _cut(written: list[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """Line by line, from the first title that matters to the last: (seconds before it, text)."""
    whole, last = "", 0.0
    begun = False
    for at, text in written:
        for piece in re.split(r"(?<=\n)", text):
            whole += piece
            if not begun and _BEGIN in piece:
                begun, last = True, at
            if begun and piece:
                if _END in piece:
                    return
                yield at - last, piece
                last = at


def _frames(pieces: Iterator[tuple[float, str]]) -> list[Frame]:
    screen, frames = Screen(COLUMNS), list[Frame]()
    due = 0.0

    def shoot(seconds: float) -> None:
        shown = screen.lines[:-1] if not screen.lines[-1] else screen.lines
        lines = tuple(tuple(one) for one in shown[-ROWS:])
        if frames and frames[-1].lines == lines:
            frames[-1] = Frame(lines, frames[-1].seconds + seconds)
        else:
            frames.append(Frame(lines, seconds))

    for passed, piece in pieces:
        title = bool(_TITLE.search(piece))
        due += passed
        if due >= _SHORTEST or (title and screen.lines != [[]]):
            shoot(_READ if title else min(due, _LONGEST))
            due = 0.0
        screen.write(piece)
    shoot(_LAST)
    return frames


def save(path: Path, picture: str) -> None:
    """Nothing of whoever made it is in it. Raises SystemExit."""
    for one in (getpass.getuser(), str(Path.home()), str(ROOT), socket.gethostname()):
        if re.search(rf"(?<![\w#.]){re.escape(one)}\b", picture):
            sys.exit(f"{one!r} is in the picture")
    if len(picture.encode()) > _MOST:
        sys.exit(f"the picture has {len(picture.encode())} bytes; at most {_MOST}")
    path.write_text(picture, encoding="utf-8")
    print(f"{path}: {len(picture.encode()) // 1000} kB")


if __name__ == "__main__":
    sys.exit(main())
