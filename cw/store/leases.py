"""Task records while a host has them: take the lease, renew it, record how the run ended."""

from __future__ import annotations

import json

from cw.budgets.scopes import month, places
from cw.errors import ForgedError, StaleFenceError
from cw.models import MALFORMED, PROTOCOL, Start, TaskSpec
from cw.states import Move, sources, target
from cw.store import keys
from cw.store.budgets import KEPT_MS, scopes_json
from cw.store.clock import epoch_ms, ms
from cw.store.connection import Connection
from cw.store.lease_values import Grant, Holder, LiveRun, Payer, Refusal, Settlement, Spending
from cw.store.notices import following
from cw.store.pulls import new_pull


class Leases:
    """What hosts do with tasks. The fence says whose word counts. `ttl`: seconds, which the server
    counts from when it is asked.
    """

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def acquire(
        self,
        task_id: str,
        *,
        worker: str,
        host: str,
        ttl: float,
        session: str,
        payer: Payer | None = None,
        place: str = "",
    ) -> Grant | Refusal:
        """Take a queued task for an idle worker. `session` is used when it has none yet. Without a
        `payer` no account and no ceiling is asked. `place`: of its repository, which may be held.
        """
        spending = payer.spending if payer else None
        names = [*self._lease_keys(task_id, worker), keys.RESERVED, _ledger(spending)]
        names.append(keys.REPOSITORIES)
        if payer:
            names.append(keys.account(payer.account))
        args = [
            task_id,
            worker,
            host,
            ms(ttl),
            sources(Move.ACQUIRE),
            target(Move.ACQUIRE),
            session,
            PROTOCOL,
            payer.model if payer else "",
            ms(payer.spread) if payer else 0,
            scopes_json(payer.scopes if payer else ()),
            _places(spending),
            *(keys.repository_hold(place, one) for one in ("", worker)),
        ]
        answer = self._db.run("acquire", names, args)
        if not answer[0]:
            scope = payer.scopes[int(answer[2]) - 1] if payer and len(answer) > 2 else None
            return Refusal(str(answer[1]), scope)
        return Grant(task_id, int(answer[1]), int(answer[2]), str(answer[3]))

    def adopt(
        self,
        task_id: str,
        *,
        worker: str,
        host: str,
        ttl: float,
        fence: int,
        restarted: bool = False,
    ) -> int | Refusal:
        """Take the lease again for a live run that had `fence`. Returns the new fence.

        `restarted`: the host process is a new one. Its predecessor may have adopted the run and
        died before it wrote that fence down.
        """
        args = [
            task_id,
            worker,
            host,
            ms(ttl),
            sources(Move.ADOPT),
            target(Move.ADOPT),
            fence,
            int(restarted),
        ]
        answer = self._db.run("adopt", self._lease_keys(task_id, worker), args)
        return int(answer[1]) if answer[0] else Refusal(str(answer[1]))

    def begin(self, spec: TaskSpec, fence: int, start: Start) -> Start:
        """Where the task's first run began: what the record knows, else `start` from now on. Raises
        StaleFenceError, or ForgedError: a record's word alone lets nobody push to another branch.
        """
        args = [str(fence), start.model_dump_json()]
        said = self._db.run("began", [keys.task(spec.id)], args)
        if not said:
            raise StaleFenceError(f"another run has {spec.id} now")
        try:
            known = Start.model_validate_json(said)
        except MALFORMED as error:
            raise ForgedError("its record does not say where its first run began") from error
        if not spec.owns(known.branch):
            raise ForgedError(f"its record names a branch that is not its own: {known.branch}")
        return known

    def restore(self, spec: TaskSpec, run: LiveRun, ttl: float) -> bool:
        """Record a live run again that the broker has forgotten. It keeps its fence. False: the
        task is known after all, or another one has its issue.
        """
        names = [
            keys.task(spec.id),
            keys.OPEN,
            keys.worker(run.worker),
            keys.LEASES,
            keys.FENCE,
            keys.prompt(spec.id),
        ]
        if spec.issue is not None:
            names.append(keys.claim(*spec.key))
        args = [
            spec.id,
            spec.stored(),
            run.worker,
            run.host,
            ms(ttl),
            target(Move.RESTORE),
            run.fence,
            run.attempt,
            run.session,
            epoch_ms(spec.created_at),
            run.prompt,
            run.start.model_dump_json() if run.start else "",
        ]
        return bool(self._db.run("restore", names, args))

    def renew(self, task_id: str, fence: int, ttl: float) -> bool:
        """From now on for `ttl`. False: somebody else has the task now, or it was ended."""
        return bool(
            self._db.run(
                "renew",
                [keys.task(task_id), keys.LEASES, keys.COUNTS],
                [task_id, str(fence), ms(ttl)],
            )
        )

    def settle(self, holder: Holder, settlement: Settlement) -> bool:
        """Record how a run ended, free its worker and post what others are told of it, at once.

        False: the fence is stale, and nothing was done.
        """
        move, outcome = settlement.move, settlement.outcome
        outboxes, rows = following(self._db, settlement.told)
        args = [
            holder.task_id,
            str(holder.fence),
            sources(move),
            target(move),
            outcome.model_dump_json(),
            outcome.message,
            epoch_ms(outcome.retry_at) if outcome.retry_at else "",
            int(move is Move.EXPIRE or (move is Move.HOLD and settlement.charged)),
            int(settlement.begun),
            f"run:{outcome.kind.value}:{outcome.reason}",
            outcome.cost_usd,
            outcome.turns,
            outcome.duration_s,
            _places(settlement.spending),
            KEPT_MS,
            settlement.spending.host if settlement.spending else "",
            epoch_ms(settlement.spending.at) if settlement.spending else "",
            *rows,
        ]
        ledger = _ledger(settlement.spending)
        names = [*self._settled_keys(holder), keys.RESERVED, ledger, *outboxes]
        names += new_pull(outcome)
        return bool(self._db.run("settle", names, args))

    @staticmethod
    def _settled_keys(holder: Holder) -> list[str]:
        return [
            keys.task(holder.task_id),
            keys.worker(holder.worker),
            keys.LEASES,
            keys.OPEN,
            keys.DONE,
            keys.HOLDS,
            keys.waiting(holder.worker),
            keys.FINISHED,
            keys.COUNTS,
            keys.COSTS,
        ]

    @staticmethod
    def _lease_keys(task_id: str, worker: str) -> list[str]:
        return [
            keys.task(task_id),
            keys.worker(worker),
            keys.LEASES,
            keys.FENCE,
            keys.waiting(worker),
            keys.waiting(None),
        ]


def _ledger(spending: Spending | None) -> str:
    return keys.spent(month(spending.at) if spending else "")


def _places(spending: Spending | None) -> str:
    """As the scripts take them: all that a run's spending is summed up under."""
    return json.dumps(places(spending.payers, spending.at) if spending else ())
