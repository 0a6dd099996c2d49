"""`python bench/outage.py`: what an outage of the API costs a fleet whose workers are on one or on
several accounts, each with a canary of its own. A minute is a tenth of a second. Needs
redis-server.

The scripts are the product's, on a real server; an agent is a function that is refused or answered.
"""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.broker import running_broker
from cw.accounts.holds import GROWTH, HoldKind
from cw.budgets.scopes import Payers
from cw.models import TaskSpec
from cw.states import Move, OutcomeKind
from cw.store.accounts import Refused
from cw.store.lease_values import Grant, Holder, Payer, Settlement, Spending
from cw.store.store import Store, open_store
from tests.making import KEYRING, make_outcome, make_spec
from tests.waiting import wait_until

MINUTE = 0.1  # seconds
WORKERS = 8
OUTAGES = (45, 52, 60, 68, 75)  # minutes
SPREAD = MINUTE / 3
JITTER = 0.1
LOOK = 0.002  # seconds


@dataclass
class Outage:
    """`runs`: agents that were refused. `back`: by worker, how many minutes after the API."""

    store: Store
    accounts: int
    minutes: int
    runs: int = 0
    back: dict[str, float] = field(default_factory=dict)

    def play(self) -> None:
        tasks = {f"{at:02}": self._created(at) for at in range(WORKERS)}
        end = time.monotonic() + self.minutes * MINUTE
        while len(self.back) < WORKERS:
            for worker, spec in tasks.items():
                if worker not in self.back:
                    self._try(worker, spec, end)
            time.sleep(LOOK)

    def _created(self, at: int) -> TaskSpec:
        spec = make_spec(issue=at + 1, wanted_worker=f"{at:02}")
        self.store.tasks.create(spec, "")
        return spec

    def _try(self, worker: str, spec: TaskSpec, end: float) -> None:
        account = f"account-{int(worker) % self.accounts}"
        taken = self.store.tasks.acquire(
            spec.id,
            worker=worker,
            host="here",
            ttl=60,
            session="s",
            payer=Payer(Spending(Payers(worker, account), datetime.now(UTC)), spec.model, SPREAD),
        )
        if not isinstance(taken, Grant):
            return
        over = (time.monotonic() - end) / MINUTE
        if over >= 0:
            self.store.accounts.heard(account, spec.id, SPREAD, WORKERS // self.accounts)
            self.back[worker] = over
            return
        self.runs += 1
        self.store.accounts.hold(account, self._refused(spec))
        outcome = make_outcome(OutcomeKind.DEFERRED, retry_at=self.store.tasks.now())
        settlement = Settlement(Move.HOLD, outcome, charged=False)
        self.store.tasks.settle(Holder(spec.id, worker, taken.fence), settlement)
        held = self.store.tasks.get(spec.id)
        wait_until(lambda: held and self.store.tasks.requeue(held, Move.RELEASE))

    def _refused(self, spec: TaskSpec) -> Refused:
        around = 1 + random.uniform(0, JITTER)  # noqa: S311
        pauses = [timedelta(seconds=MINUTE * times * around) for times in GROWTH]
        return Refused(HoldKind.OVERLOAD, spec.id, pauses=pauses)


def measure(store: Store, accounts: int) -> None:
    seen = [Outage(store, accounts, minutes) for minutes in OUTAGES]
    for one in seen:
        store.connection.client.flushall()
        one.play()
    a_minute = mean(one.runs / one.minutes for one in seen)
    first = mean(min(one.back.values()) for one in seen)
    middle = mean(mean(one.back.values()) for one in seen)
    last = mean(max(one.back.values()) for one in seen)
    print(f"{accounts} | {a_minute:.2f} | {first:.1f} | {middle:.1f} | {last:.1f}")


def main() -> None:
    with running_broker() as (_, url):
        store = open_store(url, KEYRING)
        print("accounts | refused runs a minute | first, mean, last worker back after minutes")
        for accounts in (1, 2, 4, 8):
            measure(store, accounts)


if __name__ == "__main__":
    main()
