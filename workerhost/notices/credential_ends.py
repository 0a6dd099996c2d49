"""A person is told before a credential ends: once, whichever host is the first to say so."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cw.accounts.holds import Account
from cw.accounts.lifetime import Lifetime, lifetime
from cw.fleet_models import Worker
from cw.notices.notice import Notice
from cw.settings import Settings
from cw.store.store import Store
from workerhost.github.delivered_writes import Delivered, delivered_file

log = logging.getLogger("workerhost.account")

_ID_CHARS = 32  # 128 bits
_REMEMBERED = timedelta(days=400)  # longer than any of these lasts


@dataclass(frozen=True, slots=True)
class EndTeller:
    """Of one host. `told`: on its own disk, as a broker may forget what people were told."""

    store: Store
    host: str
    told: Delivered

    def look(self, accounts: Iterable[Account], workers: Sequence[Worker], now: datetime) -> None:
        """`workers`: of the whole fleet, by id. Raises BrokerUnavailableError."""
        for account in accounts:
            on = [worker for worker in workers if worker.account == account.id]
            life = lifetime(account, (worker.account_since for worker in on))
            if life and life.near(now) and account.warned != _cause(life):
                self._tell(account, life, notice_of(account, life, [one.id for one in on], now))

    def _tell(self, account: Account, life: Lifetime, notice: Notice) -> None:
        if self.told.knows(notice.id):
            return
        if self.store.accounts.warn(account.id, _cause(life), self.host, notice):
            log.warning("credential ends account=%s on=%s", account.id, life.ends_on)
            self.told.add(notice.id, (notice.at + _REMEMBERED).timestamp())


def end_teller(store: Store, settings: Settings) -> EndTeller:
    """Raises BadInputError when this host cannot read what it told."""
    told = Delivered(delivered_file(settings, "endings"))
    return EndTeller(store, settings.host_name, told)


def notice_of(account: Account, life: Lifetime, on: Sequence[str], now: datetime) -> Notice:
    """`on`: its workers."""
    cause = "\0".join((account.id, _cause(life)))
    return Notice(
        id=hashlib.sha256(cause.encode()).hexdigest()[:_ID_CHARS],
        at=now,
        task="",
        repository="",
        issue=None,
        worker="",
        title=f"account {account.name}",
        what="ending",
        reason="credential_ending",
        why=life.words(now),
        next=life.next(on),
        link="",
    )


def _cause(life: Lifetime) -> str:
    """A day that a person gives after a warning is another cause: it may be nearer to the end."""
    return f"ends {life.ends_on}" if life.given else "ends"
