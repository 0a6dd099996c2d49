"""Which account each worker of this host is on, what those accounts take now, and of which
repositories.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime

from cw.accounts.holds import Account
from cw.accounts.identity import Identity, identity
from cw.accounts.lifetime import given_day
from cw.breakers import RepositoryHold, why_held
from cw.budgets.ceilings import Amount
from cw.budgets.scopes import Payers, Scope, met, scopes
from cw.credentials.agentenv import agent_environment
from cw.fleet_models import Worker
from cw.homes.layout import Home
from cw.models import TaskSpec
from cw.programs.known import program_of
from cw.settings import Settings
from cw.store.lease_values import Payer, Spending
from cw.store.store import Store
from workerhost.runs.budget import shared
from workerhost.runs.first_seen import FirstSeen, first_seen_file

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
        self._since: dict[str, date | None] = {}  # worker -> when its credential was made
        self._first_seen = FirstSeen(first_seen_file(settings))
        # By worker: account and day that were told, and when (monotonic).
        self._told: dict[str, tuple[str, date | None, float]] = {}
        self._known: dict[str, Account] = {}
        self._repositories: list[RepositoryHold] = []
        self._now: datetime | None = None
        self._opens_at = math.inf  # monotonic
        self._ceilings = shared(settings)
        self._met: dict[str, Amount] = {}  # by place: see cw.budgets.scopes

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
        self._since[home.id] = given_day(env, datetime.now(UTC))
        program = program_of(self._settings)
        own = set(program.apis(env)) - set(program.apis({}))
        return identity(env, program.logins, " ".join(sorted(own)), home.id)

    def payer(self, home: Home, model: str) -> Payer:
        """For a run that is about to begin. Raises BrokerUnavailableError."""
        account, now = self.of(home), datetime.now(UTC)
        self._tell(home.id, account)
        payers = Payers(home.id, account.id, account.name)
        spread = self._settings.account_spread
        return Payer(Spending(payers, now), model, spread, self.scopes(payers, now))

    def payers(self, worker: str, account: str) -> Payers:
        """Of a run that began on this account."""
        with self._lock:
            known = self._known.get(account)
        return Payers(worker, account, known.name if known else "")

    def scopes(self, payers: Payers, now: datetime) -> tuple[Scope, ...]:
        """Ceilings that a run of these payers shares."""
        return scopes(self._ceilings, payers, now)

    def look(self, workers: Sequence[Worker], homes: Mapping[str, Home]) -> None:
        """Find out anew. `workers`: the fleet's records of these. Raises BrokerUnavailableError."""
        self._opens_at = math.inf
        for worker in workers:
            with suppress(OSError):  # its run will say what is wrong with its HOME
                self._look_at(worker, homes[worker.id])
        known = self._store.accounts.read(self._of.get(worker.id, "") for worker in workers)
        ceiled = any(self._ceilings.values())
        places = self._store.budgets.read(datetime.now(UTC)).met if ceiled else {}
        held, now = self._store.breakers.holds(), self._store.tasks.now()
        clock = time.monotonic()
        moments = (account.opens_at(now) for account in known.values())
        pauses = ((moment - now).total_seconds() for moment in moments if moment)
        self._opens_at = clock + min(pauses, default=math.inf)
        with self._lock:
            self._known, self._met = known, places
            self._repositories, self._now = held, now

    def _look_at(self, worker: Worker, home: Home) -> None:
        account = self.of(home)
        if worker.account != account.id:
            self._told.pop(worker.id, None)
        self._tell(worker.id, account)

    def opens_in(self) -> float:
        """Seconds from now until one of them takes more by itself, as of the last look; 0 when that
        was since.
        """
        return max(0.0, self._opens_at - time.monotonic())

    def known(self) -> list[Account]:
        """Those of this host's workers."""
        with self._lock:
            return list(self._known.values())

    def closed(self, worker: str, model: str | None = None) -> str:
        """Why its account takes nothing, or nothing of this model, or which ceiling is met; empty
        when it may.
        """
        with self._lock:
            account = self._known.get(self._of.get(worker, ""))
            held = account.closed(self._now, model) if account and self._now else ""
            places = self._met
        if held or not places:
            return held
        payers = self.payers(worker, account.id if account else "")
        full = met(places, payers, datetime.now(UTC), self._ceilings)
        return full.used_up if full else ""

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
        self._of[worker] = account.id
        since = self._since.get(worker)
        told, day, at = self._told.get(worker, ("", None, 0.0))
        fresh = time.monotonic() - at < _TELL_AGAIN_SECONDS
        if fresh and (told, day) == (account.id, since):
            return
        known = self._first_seen.at(account.id)
        seen = self._store.accounts.tell(worker, account, since, known)
        if seen is not None:
            self._first_seen.keep(account.id, seen)
        self._told[worker] = (account.id, since, time.monotonic())


def _stamp(home: Home) -> Stamp | None:
    """Of the file that is behind .zshenv; None without one."""
    try:
        found = home.zshenv.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
