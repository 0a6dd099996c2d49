"""Records that are there and cannot be read: each costs only itself, and is named once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from pydantic import ValidationError

from cw.models import Model

log = logging.getLogger("cw.store")

HOW_TO_MEND = "cw reconcile --set-aside"


class Unreadable(Model):
    """One record, or a part of one. `key`: where it lies at the broker."""

    what: str
    key: str
    why: str

    def words(self) -> str:
        return f"{self.what} cannot be read and is passed over: {self.why}. {HOW_TO_MEND}"


class Unreadables:
    """What this process came upon, by key. Safe to share between threads. `tell` is called once for
    each, and again when it was well in between: a host looks every few seconds.
    """

    def __init__(self) -> None:
        self.tell: Callable[[Unreadable], None] = lambda record: log.warning("%s", record.words())
        self._found: dict[str, Unreadable] = {}
        self._lock = threading.Lock()

    def add(self, key: str, what: str, why: str) -> None:
        record = Unreadable(what=printable(what), key=printable(key), why=printable(why))
        with self._lock:
            known = self._found.get(key)
            self._found[key] = record
        if known != record:
            self.tell(record)

    def well(self, key: str) -> None:
        if key in self._found:
            with self._lock:
                self._found.pop(key, None)

    def why(self, key: str) -> str:
        found = self._found.get(key)
        return found.why if found else ""

    def all(self) -> list[Unreadable]:
        with self._lock:
            return [self._found[key] for key in sorted(self._found)]

    def keys(self) -> list[str]:
        """As they are at the broker, whatever bytes they have."""
        with self._lock:
            return sorted(self._found)


def need_text(row: Mapping[str, str]) -> None:
    """Pydantic takes lone surrogates for text (2.14). Raises ValueError."""
    for name, value in row.items():
        if not is_text(name) or not is_text(value):
            raise ValueError(f"{printable(name)} is no UTF-8 text")


def is_text(value: str) -> bool:
    """Whether it was UTF-8: other bytes come as lone surrogates, and go back as they were."""
    return value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)


def fault(error: Exception) -> str:
    """Where and what, without the value: it may be anything, of any length."""
    if type(error) is ValueError:
        return str(error)
    if not isinstance(error, ValidationError):
        return f"it is not of the known form ({type(error).__name__})"
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"


def printable(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode()
