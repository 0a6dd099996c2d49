"""Which account each worker of this host is on, what those accounts take now, and of which
repositories.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from cw.accounts.holds import Account
from cw.accounts.identity import Identity, identity
from cw.breakers import RepositoryHold, why_held
from cw.credentials.agentenv import agent_environment
from cw.fleet_models import Worker
from cw.homes.layout import Home
from cw.models import TaskSpec
from cw.programs.known import program_of
from cw.settings import Settings
from cw.store.lease_values import Payer
from cw.store.store import Store

_TELL_AGAIN_SECONDS = 3600.0


Stamp = tuple[int, int, int]


class HomeAccounts:
    """Thread-safe. What it knows of the accounts is as old as the last `look`; whether a run may
    begin is the broker's to say.
    """

    def __init__(self, settings: Settings, store: Store, host_env: Mapping[str, str]) -> None:
        self._settings = settings
        self._store = store
        self._host_env = host_env
        self._lock = threading.Lock()
        self._read: dict[str, tuple[Stamp | None, Identity | None]] = {}  # by worker
        self._of: dict[str, str] = {}  # worker -> id of its account
        self._told: dict[str, tuple[str, float]] = {}  # worker -> account, and when (monotonic)
        self._known: dict[str, Account] = {}
        self._repositories: list[RepositoryHold] = []
        self._now: datetime | None = None

    def of(self, home: Home) -> Identity:
        """As its .zshenv has it now: a key that was mended is another account."""
        stamp, found = self._read.get(home.id, (None, None))
        now = _stamp(home)
        if found is None or now is None or now != stamp:
            found = self._identity(home)
            self._read[home.id] = (now, found)
        return found

    def _identity(self, home: Home) -> Identity:
        env = agent_environment(home, self._settings, self._host_env)
        program = program_of(self._settings)
        own = set(program.apis(env)) - set(program.apis({}))
        return identity(env, program.logins, " ".join(sorted(own)), home.id)

    def payer(self, home: Home, model: str) -> Payer:
        """For a run that is about to begin. Raises BrokerUnavailableError."""
        account = self.of(home)
        self._tell(home.id, account)
        return Payer(account.id, model, self._settings.account_spread)

    def look(self, workers: Sequence[Worker], homes: Mapping[str, Home]) -> None:
        """Find out anew. `workers`: the fleet's records of these. Raises BrokerUnavailableError."""
        for worker in workers:
            with suppress(OSError):  # its run will say what is wrong with its HOME
                self._look_at(worker, homes[worker.id])
        known = self._store.accounts.read(self._of.get(worker.id, "") for worker in workers)
        held, now = self._store.breakers.holds(), self._store.tasks.now()
        with self._lock:
            self._known, self._repositories, self._now = known, held, now

    def _look_at(self, worker: Worker, home: Home) -> None:
        account = self.of(home)
        if worker.account != account.id:
            self._told.pop(worker.id, None)
        self._tell(worker.id, account)

    def closed(self, worker: str, model: str | None = None) -> str:
        """Why its account takes nothing, or nothing of this model; empty when it may."""
        with self._lock:
            account = self._known.get(self._of.get(worker, ""))
            return account.closed(self._now, model) if account and self._now else ""

    def takes(self, worker: str, task: TaskSpec) -> bool:
        """Whether it may begin with it now: its account takes the model, and the repository is not
        held.
        """
        with self._lock:
            held = why_held(self._repositories, task.key[0], worker)
        return not held and not self.closed(worker, task.model)

    def ranked(self, workers: Sequence[str], task: TaskSpec) -> list[str]:
        """Those that may begin with it, the one whose account has most room first."""
        able = [worker for worker in workers if self.takes(worker, task)]
        with self._lock:
            used = {worker: self._used(worker) for worker in able}
        return sorted(able, key=lambda worker: (used[worker], worker))

    def workers_of(self, account_id: str) -> int:
        """How many of the fleet are on it. Raises BrokerUnavailableError."""
        return sum(worker.account == account_id for worker in self._store.fleet.workers())

    def _used(self, worker: str) -> float:
        account = self._known.get(self._of[worker]) if worker in self._of else None
        return round(account.used, 1) if account else 0.0

    def _tell(self, worker: str, account: Identity) -> None:
        told, at = self._told.get(worker, ("", 0.0))
        self._of[worker] = account.id
        if told == account.id and time.monotonic() - at < _TELL_AGAIN_SECONDS:
            return
        self._store.accounts.tell(worker, account)
        self._told[worker] = (account.id, time.monotonic())


def _stamp(home: Home) -> Stamp | None:
    """Of the file that is behind .zshenv; None without one."""
    try:
        found = home.zshenv.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
