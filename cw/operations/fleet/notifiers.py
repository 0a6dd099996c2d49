"""The notifiers of this machine, tried: what comes of one notice for each."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from cw.errors import CwError
from cw.models import Model
from cw.notices.addresses import Address, check, open_notifier, parse
from cw.notices.notice import Notice
from cw.settings import Settings


class TriedRow(Model):
    """An address, by its name, and whether it took the notice."""

    to: str
    sent: bool
    why: str  # it was not; else empty


def try_all(settings: Settings, by: str) -> list[TriedRow]:
    """Raises BadInputError for an address that cannot be used, before any is tried."""
    check(settings.notify_to)
    notice = _notice(by)
    made = {address.name: address for address in map(parse, settings.notify_to)}
    return [_tried(address, notice, settings.notify_secret) for address in made.values()]


def unusable(address: Address, secret: str) -> str:
    """Why nothing can be sent there, as far as its form tells; empty when it can."""
    try:
        open_notifier(address, secret)
    except CwError as error:
        return error.line()
    except Exception as error:  # noqa: BLE001  a notifier may be anybody's code
        return f"its notifier cannot be loaded ({type(error).__name__})"
    return ""


def _tried(address: Address, notice: Notice, secret: str) -> TriedRow:
    why = unusable(address, secret)
    try:
        if not why:
            open_notifier(address, secret).send(notice)
    except CwError as error:
        why = error.line()
    except Exception as error:  # noqa: BLE001  as before; its text may carry a password
        why = f"its notifier failed ({type(error).__name__})"
    return TriedRow(to=address.name, sent=not why, why=why)


def _notice(by: str) -> Notice:
    return Notice(
        id=secrets.token_hex(16),
        at=datetime.now(UTC),
        task="",
        repository="",
        issue=None,
        worker="",
        title="A test",
        what="test",
        reason="test",
        why=f"{by} typed cw notify test",
        next="",
        link="",
    )
