"""Where a dispatch's prompt comes from: -p TEXT, -p - or standard input.

Without -p, standard input is read only when there is no issue either: then it is the only thing
that can say what to do. With an issue it is left alone, because `while read n; do cw dispatch -i
$n …; done < list` would otherwise lose the rest of its list to the first dispatch, and because a
pipe that nobody closes would hang it.
"""

from __future__ import annotations

import os
import select
import stat
from typing import BinaryIO

from cw.names import MAX_PROMPT_BYTES, prompt_text

ASK_STDIN = "-"


def read_prompt(given: str | None, stdin: BinaryIO | None, *, has_issue: bool) -> str:
    """The prompt, or "" when there is none. Raises BadInputError for one that cannot be used."""
    if given is not None and given != ASK_STDIN:
        return prompt_text(os.fsencode(given))
    wanted = given == ASK_STDIN or (not has_issue and _is_fed(stdin))
    if not wanted:
        return ""
    raw = stdin.read(MAX_PROMPT_BYTES + 1) if stdin else b""
    # Nothing at all is no prompt, unless one was asked for.
    return prompt_text(raw) if raw or given else ""


def is_ignored(stdin: BinaryIO | None) -> bool:
    """Whether somebody wrote into a pipe that is not read."""
    if stdin is None or not _is_pipe(stdin):
        return False
    ready, _, _ = select.select([stdin], [], [], 0)
    # A closed empty pipe is ready as well; FIONREAD tells them apart.
    return bool(ready) and _pending(stdin) > 0


def _is_fed(stdin: BinaryIO | None) -> bool:
    """A file, a pipe or a socket; not a terminal, /dev/null or nothing."""
    return stdin is not None and (_is_pipe(stdin) or stat.S_ISREG(_mode(stdin)))


def _is_pipe(stdin: BinaryIO) -> bool:
    return stat.S_ISFIFO(_mode(stdin)) or stat.S_ISSOCK(_mode(stdin))


def _mode(stdin: BinaryIO) -> int:
    return os.fstat(stdin.fileno()).st_mode


def _pending(stdin: BinaryIO) -> int:
    import fcntl
    import termios

    answer = fcntl.ioctl(stdin.fileno(), termios.FIONREAD, b"\0\0\0\0")
    return int.from_bytes(answer, "little")
