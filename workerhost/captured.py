"""What an agent writes: through pipes, into files that its shim alone writes.

An agent whose stdout is a file can cut it, write it anew or make it look 4 GB long by
/proc/self/fd/1, whatever a wall binds read-only; a pipe it can only write into.

Standard library only: the shim of each run uses it.
"""

import errno
import os
import select
import time

from workerhost.lastword import LastWord, Marks

_PIECE = 1 << 16  # as much as a pipe holds
_PAUSE_SECONDS = 0.005  # whoever writes byte by byte is read in pieces all the same


class Captured:
    """Copies each of some pipes into its file, `most` bytes of all together (0: any number).

    `full` says why nothing is kept any more: `log_size` or `disk_full`. What comes then is read and
    dropped, so that whoever writes it is not held up on its way to its end. `taken`: the bytes that
    came, by pipe. `word`: of the first one, whether the agent's last word has come, by these marks.
    """

    def __init__(self, paths: list[str], most: int, marks: Marks | None = None) -> None:
        private = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.full = ""
        self.taken = [0] * len(paths)
        self.word = LastWord(marks)
        self._most = most
        self._files = [os.open(path, private, 0o600) for path in paths]
        pipes = [os.pipe() for _ in paths]
        self.ends = [end for _, end in pipes]
        self._given = {begin: number for number, (begin, _) in enumerate(pipes)}
        self._poll = select.poll()
        for begin in self._given:
            os.set_blocking(begin, False)
            self._poll.register(begin, select.POLLIN)

    def started(self, pid: int) -> None:
        """The agent has the other ends. Linux also wakes who waits here when it has ended."""
        for end in self.ends:
            os.close(end)
        if hasattr(os, "pidfd_open"):
            self._poll.register(os.pidfd_open(pid), select.POLLIN)

    def wait(self, seconds: float) -> None:
        """Take a piece of what comes within that time."""
        ready = [pipe for pipe, _ in self._poll.poll(seconds * 1000) if pipe in self._given]
        if ready and max(self._take(pipe) for pipe in ready) < _PIECE // 2:
            time.sleep(_PAUSE_SECONDS)

    def finish(self) -> None:
        """What is still in the pipes, once all who wrote into them are gone."""
        for pipe in list(self._given):
            while self._take(pipe):
                pass
        for file in self._files:
            os.close(file)

    def _take(self, pipe: int) -> int:
        try:
            part = os.read(pipe, _PIECE)
        except BlockingIOError:
            return 0
        number = self._given[pipe]
        if not part:  # nobody can write into it any more
            self._poll.unregister(pipe)
            del self._given[pipe]
            return 0
        self.taken[number] += len(part)
        if number == 0:
            self.word.add(part)
        if self._most and sum(self.taken) > self._most:
            self.full = self.full or "log_size"
        if not self.full:
            self._keep(self._files[number], part)
        return len(part)

    def _keep(self, file: int, part: bytes) -> None:
        rest = memoryview(part)
        try:
            while rest:
                rest = rest[os.write(file, rest) :]
        except OSError as error:
            if error.errno == errno.EINTR:
                raise
            self.full = "disk_full"
