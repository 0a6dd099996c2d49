"""Whatever happens to tasks in whatever order, the records agree with each other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from cw.errors import ClaimedError
from cw.models import Task, TaskSpec
from cw.states import Move, OutcomeKind, State
from cw.store import keys
from cw.store.lease_values import Grant, Holder, Refusal, Settlement
from cw.store.store import Store
from tests.making import make_outcome, make_spec

WORKERS = ("01", "02", "03")
ENDED, LONG = 0.0, 600.0  # seconds; a lease of the first kind is over at once
PLACES = {State.QUEUED: "waiting", State.RUNNING: keys.LEASES, State.HELD: keys.HOLDS}


class Fleet(RuleBasedStateMachine):
    """Hosts, sweeps and people who do things at the wrong time and with old fences."""

    tasks = Bundle("tasks")
    fences = Bundle("fences")

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.client: Any = store.connection.client
        self.client.flushall()
        self.latest: dict[str, int] = {}  # the one fence of each task that may still count

    def record(self, spec: TaskSpec) -> Task | None:
        return self.store.tasks.get(spec.id)

    @rule(
        target=tasks,
        issue=st.sampled_from([1, 2, None]),
        worker=st.sampled_from([None, "01", "02"]),
    )
    def dispatch(self, issue: int | None, worker: str | None) -> Any:
        spec = make_spec(issue=issue, wanted_worker=worker)
        holder = self.store.tasks.claimed_by(spec.repo, issue) if issue else None
        if holder:
            with pytest.raises(ClaimedError) as caught:
                self.store.tasks.create(spec, "prompt")
            assert caught.value.task_id == holder
            return multiple()
        self.store.tasks.create(spec, "prompt")
        return spec

    @rule(spec=tasks)
    def withdraw(self, spec: TaskSpec) -> None:
        if self.store.tasks.withdraw(spec):
            assert spec.id not in self.latest
            assert self.record(spec) is None

    @rule(
        target=fences,
        spec=tasks,
        worker=st.sampled_from(WORKERS),
        ttl=st.sampled_from([ENDED, LONG]),
    )
    def acquire(self, spec: TaskSpec, worker: str, ttl: float) -> Any:
        answer = self.store.tasks.acquire(
            spec.id, worker=worker, host="here", ttl=ttl, session=worker
        )
        if isinstance(answer, Refusal):
            return multiple()
        assert isinstance(answer, Grant)
        return self.got(spec, worker, answer.fence)

    @rule(target=fences, held=fences, worker=st.none() | st.sampled_from(WORKERS))
    def adopt(self, held: tuple[TaskSpec, str, int], worker: str | None) -> Any:
        spec, owner, fence = held
        taken = worker or owner
        task = self.record(spec)
        if taken != owner or task is None:
            return multiple()
        answer = self.store.tasks.adopt(spec.id, worker=taken, host="b", ttl=LONG, fence=fence)
        if isinstance(answer, Refusal):
            return multiple()
        assert self.latest[spec.id] == fence
        return self.got(spec, taken, answer)

    def got(self, spec: TaskSpec, worker: str, fence: int) -> tuple[TaskSpec, str, int]:
        assert fence > max(self.latest.values(), default=0)
        self.latest[spec.id] = fence
        return spec, worker, fence

    @rule(held=fences)
    def renew(self, held: tuple[TaskSpec, str, int]) -> None:
        spec, _, fence = held
        if self.store.tasks.renew(spec.id, fence, LONG):
            assert self.latest[spec.id] == fence

    @rule(
        held=consumes(fences) | fences,
        move=st.sampled_from([Move.FINISH, Move.HOLD, Move.STOP, Move.EXPIRE, Move.LOSE]),
        hours=st.sampled_from([-1, 1, None]),
    )
    def settle(self, held: tuple[TaskSpec, str, int], move: Move, hours: int | None) -> None:
        spec, worker, fence = held
        later = self.store.tasks.now() + timedelta(hours=hours) if hours else None
        if self.store.tasks.settle(
            Holder(spec.id, worker, fence),
            Settlement(move, make_outcome(OutcomeKind.FAILED, retry_at=later)),
        ):
            assert self.latest[spec.id] == fence
            self.latest[spec.id] = -1  # nobody may use it again

    @rule(
        spec=tasks,
        move=st.sampled_from([Move.EXPIRE, Move.LOSE, Move.RELEASE, Move.RESTART]),
    )
    def requeue(self, spec: TaskSpec, move: Move) -> None:
        task = self.record(spec)
        if task:
            self.store.tasks.requeue(task, move, "because")

    @rule(spec=tasks)
    def stop(self, spec: TaskSpec) -> None:
        task = self.record(spec)
        if task:
            self.store.tasks.want_stop(task, "somebody")

    @rule(spec=tasks)
    def close(self, spec: TaskSpec) -> None:
        task = self.record(spec)
        if task:
            self.store.tasks.close(task, make_outcome())

    @rule()
    def trim(self) -> None:
        self.store.tasks.trim(1)

    @invariant()
    def every_task_is_in_exactly_one_place(self) -> None:
        for task in self.all():
            place = PLACES.get(task.state)
            assert self.places(task.spec.id) == ([place] if place else []), task
            done = self.client.zscore(keys.DONE, task.spec.id) is not None
            still = self.client.zscore(keys.OPEN, task.spec.id) is not None
            assert (done, still) == (task.state is State.DONE, task.state is not State.DONE)

    def places(self, task_id: str) -> list[str]:
        lines = self.client.keys(keys.waiting("") + "*") + [keys.waiting(one) for one in WORKERS]
        found = ["waiting" for line in set(lines) if self.client.zscore(line, task_id) is not None]
        found += [
            one for one in (keys.LEASES, keys.HOLDS) if self.client.zscore(one, task_id) is not None
        ]
        return found

    @invariant()
    def claim_exists_while_a_task_with_an_issue_is_open(self) -> None:
        claims = {one: self.client.get(one) for one in self.client.keys("cw:claim:*")}
        expected = {
            keys.claim(task.spec.repo, task.spec.issue): task.spec.id
            for task in self.all()
            if task.spec.issue is not None and task.state is not State.DONE
        }
        assert claims == expected

    @invariant()
    def worker_and_task_agree(self) -> None:
        tasks = {task.spec.id: task for task in self.all()}
        has = {one: self.client.hget(keys.worker(one), "task") for one in WORKERS}
        held = [task for task in has.values() if task]
        assert len(held) == len(set(held))
        for worker, task_id in has.items():
            if task_id:
                assert (tasks[task_id].worker, tasks[task_id].state != State.DONE) == (worker, True)
        for task in tasks.values():
            if task.state is State.RUNNING:
                assert has[task.worker or ""] == task.spec.id

    @invariant()
    def no_key_is_without_owner(self) -> None:
        known = {task.spec.id for task in self.all()}
        for key in self.client.keys("cw:*"):
            kind, _, rest = key.removeprefix("cw:").partition(":")
            if kind in {"task", "prompt", "events"}:
                assert rest in known, key
        for line in [keys.OPEN, keys.DONE, keys.LEASES, keys.HOLDS, *self.client.keys("cw:wait*")]:
            assert set(self.client.zrange(line, 0, -1)) <= known, line

    def all(self) -> list[Task]:
        return [*self.store.tasks.open_tasks(), *self.store.tasks.done_tasks(1000)]


def test_records_agree_after_any_sequence_of_events(store: Store) -> None:
    class Mine(Fleet):
        def __init__(self) -> None:
            super().__init__(store)

    run_state_machine_as_test(
        Mine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            phases=[Phase.generate],  # shrinking a failure would outlast the test's time limit
            suppress_health_check=list(HealthCheck),
        ),
    )
