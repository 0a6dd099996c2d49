"""Whether an agent has said its last word: the result line of its stream, as it comes by.

Lines may be of any length, and something else may stand around what claude writes: the remains of a
terminal's escape codes, another line without its end. Standard library only: the shim of each run
uses it.
"""

import re
import time

# Within a JSON text an object is a value or an element, and what claude says stands in no string:
# there its quotes would be escaped. claude (2.1.332) writes the type first and no spaces.
MARK = re.compile(rb'(?<![:,\[])\{\s?"type"\s?:\s?"([a-z_]+)"')
_OVERLAP = 64  # bytes; no mark that says anything to us is longer
_AT_WORK = (b"assistant", b"user")


class LastWord:
    """`at`: when it came (monotonic seconds); 0.0: it has not, or the agent went on after it."""

    def __init__(self) -> None:
        self.at = 0.0
        self._rest = b""
        self._result = False  # the line of the moment is one

    def add(self, part: bytes) -> None:
        """What comes next, cut anywhere."""
        lines = part.split(b"\n")
        for number, line in enumerate(lines):
            if number:
                self._end()
            self._look(line)

    def _look(self, piece: bytes) -> None:
        text = self._rest + piece
        for found in MARK.finditer(text):
            if found.start() == 0 and len(self._rest) == _OVERLAP:
                continue  # seen before, with what stands in front of it
            if found[1] == b"result":
                self._result = True
            elif found[1] in _AT_WORK:  # what it had left running has woken it up
                self.at, self._result = 0.0, False
        self._rest = text[-_OVERLAP:]

    def _end(self) -> None:
        if self._result:
            self.at = time.monotonic()
        self._rest, self._result = b"", False
