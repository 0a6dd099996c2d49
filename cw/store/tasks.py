"""Task records: made, moved by people and by time, told again, forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cw.errors import ClaimedError, UnreadableError
from cw.models import Outcome, Task, TaskSpec
from cw.states import Move, State, sources, target
from cw.store import keys
from cw.store.clock import epoch_ms
from cw.store.leases import Leases
from cw.store.notices import NOTHING, Told, following
from cw.store.pulls import new_pull
from cw.store.signing import is_genuine, sign
from cw.store.task_reads import TaskReads

_OFF = {Move.RELEASE: "hold", Move.RESTART: "person"}  # what a task is taken off; else a lease


class TaskStore(TaskReads, Leases):
    """All that is read from task records and done to them. `fresh`: the next run begins with a new
    session at the branch's start, not where the last one ended.
    """

    def create(self, spec: TaskSpec, prompt: str) -> None:
        """Claim the issue and record the task, signed, at once. Raises ClaimedError."""
        names = [
            keys.task(spec.id),
            keys.OPEN,
            keys.waiting(spec.wanted_worker),
            keys.prompt(spec.id),
        ]
        names += _claims(spec)
        signed = sign(self._db.keyring, spec)
        worker = spec.wanted_worker or ""
        args = [spec.id, signed.stored(), prompt, worker, signed.protocol]
        created, holder = self._db.run("create", names, args)
        if not created:
            raise ClaimedError(f"{spec.label} already has task {holder}", task_id=str(holder))

    def withdraw(self, spec: TaskSpec) -> bool:
        """Undo `create`. False: it stays, as a host has or had the task."""
        names = [
            keys.task(spec.id),
            keys.OPEN,
            keys.waiting(spec.wanted_worker),
            keys.prompt(spec.id),
        ]
        return bool(self._db.run("withdraw", names, [spec.id, sources(Move.WITHDRAW)]))

    def close(self, task: Task, outcome: Outcome, told: Told = NOTHING) -> bool:
        """End a task that does not run, because its issue needs nobody any more.

        False: it runs, or has ended.
        """
        spec = task.spec
        outboxes, rows = following(self._db, told)
        names = [
            keys.task(spec.id),
            keys.worker(task.worker or "-"),
            keys.OPEN,
            keys.DONE,
            keys.HOLDS,
            keys.waiting(task.line),
            keys.waiting(None),
            keys.FINISHED,
            *outboxes,
        ]
        args = [
            spec.id,
            sources(Move.CLOSE),
            target(Move.CLOSE),
            outcome.model_dump_json(),
            outcome.message,
            *rows,
        ]
        return bool(self._db.run("close", names, args))

    def requeue(
        self,
        task: Task,
        move: Move,
        reason: str = "",
        *,
        fresh: bool = False,
        told: Told = NOTHING,
    ) -> bool:
        """Take a task off its lease or hold. `told`: what follows from that. False: not due, or not
        any more.
        """
        spec = task.spec
        outboxes, rows = following(self._db, told)
        names = [
            keys.task(spec.id),
            keys.waiting(task.line),
            keys.LEASES,
            keys.HOLDS,
            *outboxes,
        ]
        score = epoch_ms(spec.created_at)  # it keeps its place
        kind = _OFF.get(move, "lease")
        args = [spec.id, sources(move), target(move), kind, reason, score, int(fresh), *rows]
        return bool(self._db.run("requeue", names, args))

    def reopen(self, task: Task, *, fresh: bool) -> bool:
        """Let a task go on that had failed. False: it is not over any more. Raises ClaimedError
        when another one has its issue by now.
        """
        spec = task.spec
        names = [keys.task(spec.id), keys.waiting(task.line), keys.OPEN, keys.DONE]
        names += _claims(spec)
        score = epoch_ms(spec.created_at)
        args = [spec.id, sources(Move.REOPEN), target(Move.REOPEN), score, int(fresh)]
        done, holder = self._db.run("reopen", names, args)
        if holder:
            raise ClaimedError(f"{spec.label} has task {holder} now", task_id=str(holder))
        return bool(done)

    def reroute(self, task: Task, to: str | None = None) -> bool:
        """Give a task that waits for a worker whose host is lost to another one, or to the pool.

        False: it does not wait for that worker any more, or is not what was dispatched: this signs
        it again, and must not sign what somebody else has written.
        """
        spec, line = task.spec, task.line or ""
        if not is_genuine(self._db.keyring, spec, self.prompt(spec.id)):
            return False
        changed = sign(self._db.keyring, spec.model_copy(update={"wanted_worker": to}))
        names = [
            keys.task(spec.id),
            keys.worker(line),
            keys.waiting(line),
            keys.waiting(to),
        ]
        args = [
            spec.id,
            sources(Move.REROUTE),
            line,
            changed.stored(),
            epoch_ms(spec.created_at),
            to or "",
        ]
        return bool(self._db.run("reroute", names, args))

    def respecify(self, task: Task, spec: TaskSpec) -> bool:
        """Change what is wanted of a task that a person is about to restart. False: it is not at
        rest any more, or is not what was dispatched: this signs it again, and must not sign what
        somebody else has written.
        """
        if not is_genuine(self._db.keyring, task.spec, self.prompt(spec.id)):
            return False
        changed = sign(self._db.keyring, spec).stored()
        allowed = sources(Move.RESTART) + sources(Move.REOPEN)
        return bool(self._db.run("respecify", [keys.task(spec.id)], [allowed, changed]))

    def want_stop(self, task: Task, by: str) -> State | None:
        """Ask for a stop. Returns the state now: RUNNING until its host has stopped it; None: it is
        gone.
        """
        names = [
            keys.task(task.spec.id),
            keys.waiting(task.line),
            keys.HOLDS,
        ]
        args = [task.spec.id, by, sources(Move.PARK), target(Move.PARK)]
        answer = str(self._db.run("want_stop", names, args))
        return None if answer == "gone" else State(answer)

    def note(self, task_id: str, reason: str) -> None:
        """Why a task that waits does not move. Of one that does not wait nothing is noted."""
        self._db.run("note", [keys.task(task_id)], [State.QUEUED.value, reason])

    def mark_seen(self, task_id: str) -> bool:
        """False: it was forgotten meanwhile."""
        return bool(self._db.run("seen", [keys.task(task_id)], [task_id]))

    def first_waiting(self, worker: str | None) -> str | None:
        """The one whose turn it is in this line. Mends the line when it must."""
        args = [worker or "", State.QUEUED.value]
        return str(self._db.run("head", [keys.waiting(worker)], args)) or None

    def next_waiting(
        self, worker: str | None, fits: Callable[[Task], bool] = lambda _: True
    ) -> Task | None:
        """The same, as its record. One that cannot be read, is for a newer cw, or does not fit,
        lets the next ones by.
        """
        try:
            first = self.first_waiting(worker)
            if first is None:
                return None
            line = iter([first, *self.waiting(worker)])
        except UnreadableError:  # of another type: the script that mends the line stops there
            line = iter(self.waiting(worker))
        found = (task for task_id in line if (task := self.get(task_id)))
        able = (task for task in found if task.state is State.QUEUED and not task.too_new)
        return next(filter(fits, able), None)

    def mark_hinted(self, task_id: str, now: datetime) -> None:
        """When its hint was sent: the sweep sends none for a while."""
        self._db.run("hinted", [keys.task(task_id)], [epoch_ms(now)])

    def mark_unhinted(self, task_id: str) -> None:
        """Its hint was used up without effect: the sweep may send another at once."""
        self._db.run("hinted", [keys.task(task_id)], [""])

    def rebuild(self, task: Task) -> bool:
        """Record a finished task again that the broker has forgotten. False: it is known. Raises
        ValueError for one that has not ended.
        """
        spec, outcome = task.spec, task.outcome
        if outcome is None or task.started_at is None or task.ended_at is None:
            raise ValueError(spec.id)
        args = [
            spec.id,
            spec.stored(),
            task.worker or "",
            task.host or "",
            target(Move.REBUILD),
            outcome.model_dump_json(),
            outcome.message,
            task.fence,
            task.attempt,
            task.session or "",
            epoch_ms(task.started_at),
            epoch_ms(task.ended_at),
            keys.issue(*spec.key) if spec.issue is not None else "",
            task.spent_usd,
            task.spent_turns,
            task.spent_s,
        ]
        again = new_pull(outcome, of_pull=spec.of_pull is not None)
        names = [keys.task(spec.id), keys.DONE, keys.FENCE, keys.FINISHED, *again]
        return bool(self._db.run("rebuild", names, args))

    def trim(self, limit: int) -> None:
        """Forget the oldest finished tasks beyond `limit`, with their prompts and events."""
        with self._db.errors() as client:
            old = client.zrange(keys.DONE, 0, -limit - 1)
            if old:
                self._forget_finished(set(old))
                of_task = (keys.task, keys.prompt, keys.events)
                client.delete(*(make(task_id) for task_id in old for make in of_task))
                client.zrem(keys.DONE, *old)

    def _forget_finished(self, tasks: set[str]) -> None:
        with self._db.errors() as client:
            gone = [name for name, task in client.hgetall(keys.FINISHED).items() if task in tasks]
            if gone:
                client.hdel(keys.FINISHED, *gone)


def _claims(spec: TaskSpec) -> list[str]:
    """A task of before has its issue by its repository's name."""
    if spec.issue is None:
        return []
    names = [keys.claim(*spec.key)]
    return [*names, keys.claim(spec.repo, spec.issue)] if spec.repo_id else names
