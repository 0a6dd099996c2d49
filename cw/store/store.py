"""All records behind one object."""

from __future__ import annotations

from dataclasses import dataclass

from redis.exceptions import NoPermissionError

from cw.keyring import Keyring
from cw.names import worker_queue
from cw.store import keys
from cw.store.accounts import AccountStore
from cw.store.audit import AuditStore
from cw.store.breakers import BreakerStore
from cw.store.budgets import BudgetStore
from cw.store.connection import Connection
from cw.store.counts import CountStore
from cw.store.event_stream import EventStore
from cw.store.fleet import FleetStore
from cw.store.github_cache import GitHubCache
from cw.store.locks import LockStore
from cw.store.notices import NoticeStore
from cw.store.outbox import OutboxStore
from cw.store.pulls import PullStore
from cw.store.replies import ReplyStore
from cw.store.tasks import TaskStore

_UNACKED = "unacked"  # kombu's: messages that somebody has taken and not yet finished
_NOBODY = "-"  # no worker's id


@dataclass(frozen=True, slots=True)
class Store:
    """Safe to share between threads. Whatever asks the broker raises BrokerUnavailableError when it
    does not answer, UnreadableError when a key that has to be changed is of another type, and
    CwError when it refuses. What is read and cannot be used is left out, and named in
    `connection.unreadable`. Moments that are compared are of the server's clock (`tasks.now`).
    Without a keyring, what is signed raises RuntimeError.
    """

    connection: Connection
    tasks: TaskStore
    fleet: FleetStore
    events: EventStore
    outbox: OutboxStore
    notices: NoticeStore
    replies: ReplyStore
    github: GitHubCache
    locks: LockStore
    audit: AuditStore
    counts: CountStore
    accounts: AccountStore
    budgets: BudgetStore
    breakers: BreakerStore
    pulls: PullStore

    def ping(self) -> None:
        """Raises BrokerUnavailableError when the broker is away."""
        with self.connection.errors() as client:
            client.ping()

    def may_consume(self) -> bool:
        """Whether the broker's user has a host's rights: asked for by taking what is not there."""
        with self.connection.errors() as client:
            try:
                client.lpop(worker_queue(_NOBODY))
                client.hdel(_UNACKED, _NOBODY)
                client.hdel(keys.AUDIT, "")
            except NoPermissionError:
                return False
        return True

    def server_warnings(self) -> list[str]:
        """What of the broker's configuration could lose work, in plain words."""
        with self.connection.errors() as client:
            info = client.info()
        found = []
        if not int(info.get("aof_enabled", 0)):
            found.append(
                "the broker keeps no append-only file: a restart of it forgets tasks"
                " (redis.conf: appendonly yes)"
            )
        policy = info.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            found.append(
                f"the broker may evict our records when memory is short (maxmemory-policy {policy})"
                " (redis.conf: maxmemory-policy noeviction)"
            )
        return found


def open_store(url: str, keyring: Keyring | None = None, *, patience: float | None = None) -> Store:
    """Connects lazily: the first call finds out whether the broker is there. Without a keyring for
    looking only.
    """
    connection = Connection(url, keyring, patience)
    return Store(
        connection,
        TaskStore(connection),
        FleetStore(connection),
        EventStore(connection),
        OutboxStore(connection),
        NoticeStore(connection),
        ReplyStore(connection),
        GitHubCache(connection),
        LockStore(connection),
        AuditStore(connection),
        CountStore(connection),
        AccountStore(connection),
        BudgetStore(connection),
        BreakerStore(connection),
        PullStore(connection),
    )
