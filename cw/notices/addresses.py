"""Whom notices go to: `scheme:place`. The scheme chooses the notifier: one of ours, or of an
installed package that names it in its entry points `cw.notifiers`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import cast
from urllib.parse import urlsplit

from cw.errors import BadInputError
from cw.notices.command import CommandNotifier
from cw.notices.notice import Notifier
from cw.notices.webhook import WebhookNotifier

GROUP = "cw.notifiers"
# Called with what stands behind the scheme, and the secret of CW_NOTIFY_SECRET. Raises
# BadInputError for a place that cannot be used; connects to nothing yet.
Make = Callable[[str, str], Notifier]

_OURS: dict[str, Make] = {"command": CommandNotifier, "webhook": WebhookNotifier}
_MARK_CHARS = 8
_SHOWN = 60  # characters of a place's host or program


@dataclass(frozen=True, slots=True)
class Address:
    scheme: str
    place: str  # may hold a secret, as chat services' URLs do

    @property
    def name(self) -> str:
        """For people and records: nothing of the place but its host or program, and a mark that
        keeps apart two that have the same. One word.
        """
        mark = hashlib.sha256(f"{self.scheme}:{self.place}".encode()).hexdigest()[:_MARK_CHARS]
        return f"{self.scheme}:{_shown(self.place)}#{mark}"


def parse(text: str) -> Address:
    scheme, _, place = text.partition(":")
    return Address(scheme, place)


def check(addresses: Iterable[str]) -> None:
    """Raises BadInputError for a scheme that nobody has."""
    known = {*_OURS, *(entry.name for entry in _others())}
    for scheme in (parse(address).scheme for address in addresses):
        if scheme not in known:
            raise _unknown(scheme)


def open_notifier(address: Address, secret: str) -> Notifier:
    """Raises BadInputError, and whatever an installed package raises."""
    make = _OURS.get(address.scheme) or _loaded(address.scheme)
    return make(address.place, secret)


def _loaded(scheme: str) -> Make:
    found = next((entry for entry in _others() if entry.name == scheme), None)
    if found is None:
        raise _unknown(scheme)
    return cast("Make", found.load())


def _unknown(scheme: str) -> BadInputError:
    known = sorted({*_OURS, *(entry.name for entry in _others())})
    return BadInputError(
        f"there is no notifier {scheme!r} for CW_NOTIFY_TO", hint=f"Known: {', '.join(known)}"
    )


def _others() -> tuple[EntryPoint, ...]:
    """Only their names are read: no package is loaded that nothing is sent by."""
    return tuple(entry_points(group=GROUP))


def _shown(place: str) -> str:
    if "://" in place or place.startswith("//"):
        try:
            parts = urlsplit(place)
            where = parts.hostname or ""
            where += f":{parts.port}" if parts.port else ""
        except ValueError:
            where = ""
    elif place.startswith("/"):
        where = place.split(maxsplit=1)[0].rpartition("/")[2]
    else:  # of somebody else's notifier: nobody here knows what of it is secret
        where = ""
    return re.sub(r"[^A-Za-z0-9.:_-]", "_", where)[:_SHOWN]
