"""Whether an agent has said its last word, as its log comes by.

Lines may be of any length, and something else may stand around what the program writes: the remains
of a terminal's escape codes, another line without its end. Standard library only: the shim of each
run uses it.
"""

import re
import time
from typing import NamedTuple

_OVERLAP = 64  # bytes; no mark that says anything to us is longer


class Marks(NamedTuple):
    """How a program's lines say what they are. `mark`: a pattern whose one group is the word for
    it; `last`: the words of a last word, once its line has ended; `work`: those of an agent that
    goes on.
    """

    mark: str
    last: tuple[str, ...]
    work: tuple[str, ...]


class LastWord:
    """`at`: when it came (monotonic seconds); 0.0: it has not, or the agent went on after it.
    Without marks it never comes.
    """

    def __init__(self, marks: Marks | None) -> None:
        self.at = 0.0
        self._marks = re.compile(marks.mark.encode()) if marks else None
        self._last = {mark.encode() for mark in marks.last} if marks else set()
        self._work = {mark.encode() for mark in marks.work} if marks else set()
        self._rest = b""
        self._result = False  # the line of the moment is one

    def add(self, part: bytes) -> None:
        """What comes next, cut anywhere."""
        if self._marks is None:
            return
        lines = part.split(b"\n")
        for number, line in enumerate(lines):
            if number:
                self._end()
            self._look(line, self._marks)

    def _look(self, piece: bytes, marks: re.Pattern[bytes]) -> None:
        text = self._rest + piece
        for found in marks.finditer(text):
            if found.start() == 0 and len(self._rest) == _OVERLAP:
                continue  # seen before, with what stands in front of it
            if found[1] in self._last:
                self._result = True
            elif found[1] in self._work:  # what it had left running has woken it up
                self.at, self._result = 0.0, False
        self._rest = text[-_OVERLAP:]

    def _end(self) -> None:
        if self._result:
            self.at = time.monotonic()
        self._rest, self._result = b"", False
