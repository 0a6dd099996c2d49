"""A result line that is longer than a line may be, in memory that does not grow with it: what of
it is wanted is picked out as it comes by.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from workerhost.claude.marks import MARK

_OVERLAP = 64
_VALUE_BYTES = 1 << 17  # of a text more than is judged and kept of it
_KEY_BYTES = 100
_MOST = 100  # members
_NEXT = re.compile(rb'["{}\[\],:]')
_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)  # as far as it goes on
_HALF = re.compile(rb"(\\+)(?:u[0-9a-fA-F]{0,3})?\Z")


class LongLine:
    """Fed with the parts of one line; `end` gives the result that stands in it, if one does."""

    def __init__(self) -> None:
        self._rest = b""
        self._object: _Members | None = None

    def feed(self, part: bytes) -> None:
        if self._object is None:
            text = self._rest + part
            found = next((mark for mark in MARK.finditer(text) if mark[1] == b"result"), None)
            if found is None:
                self._rest = text[-_OVERLAP:]
                return
            self._object, part = _Members(), text[found.start() :]
        self._object.feed(part)

    def end(self) -> dict[str, Any] | None:
        if self._object is None or not self._object.whole:
            return None
        found = {}
        for key, value in self._object.found.items():
            with suppress(ValueError, RecursionError):
                read = json.loads(value)
                if isinstance(read, str):  # half of a pair is no text that can be kept
                    read = read.encode("utf-8", "ignore").decode()
                found[str(json.loads(key))] = read
        return found


class _Members:
    """The members of one JSON object. `whole`: its end was there."""

    def __init__(self) -> None:
        self.found: dict[bytes, bytes] = {}
        self.whole = False
        self._depth = 0
        self._string = self._escaped = False
        self._key = b""
        self._text = bytearray()  # of the key or value of the moment
        self._full = False

    def feed(self, part: bytes) -> None:
        at = 0
        while at < len(part) and not self.whole:
            if self._escaped:
                self._keep(part[at : at + 1])
                self._escaped, at = False, at + 1
                continue
            inside = _STRING.match(part, at) if self._string else None
            found = None if inside else _NEXT.search(part, at)
            end = inside.end() if inside else found.start() if found else len(part)
            self._keep(part[at:end])
            if end < len(part):
                self._take(part[end : end + 1])
            at = end + 1

    def _take(self, mark: bytes) -> None:
        if mark == b"\\":
            self._escaped = True
            self._keep(mark)
            return
        if mark == b'"':
            self._string = not self._string
        elif mark in {b"{", b"["}:
            self._depth += 1
            if self._depth == 1:
                return
        elif mark in {b"}", b"]"}:
            self._depth -= 1
        if self._depth == 0 or (self._depth == 1 and mark == b","):
            self._member()
            self.whole = self._depth == 0
        elif self._depth == 1 and mark == b":":
            self._key, self._text = bytes(self._text).strip(), bytearray()
        else:
            self._keep(mark)

    def _keep(self, part: bytes) -> None:
        room = (_VALUE_BYTES if self._key else _KEY_BYTES) - len(self._text)
        self._text += part[: max(0, room)]
        self._full = self._full or len(part) > room

    def _member(self) -> None:
        text = bytes(self._text).strip()
        if self._full:  # of a text its beginning is worth having
            text = _whole(text) + b'"' if text.startswith(b'"') else b"null"
        if self._key and len(self.found) < _MOST:
            self.found[self._key] = text
        self._key, self._text, self._full = b"", bytearray(), False


def _whole(text: bytes) -> bytes:
    """Without half an escape, or half a character."""
    half = _HALF.search(text)
    if half and len(half[1]) % 2:
        text = text[: half.end(1) - 1]
    return text.decode("utf-8", "ignore").encode()
