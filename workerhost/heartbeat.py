"""What a host does every few seconds: say that it lives, find HOMEs and runs, obey, send hints."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import cw
from cw.fleet_models import Host as HostRecord
from cw.fleet_models import Worker
from cw.homes.layout import Home
from cw.homes.running import shim_lives
from cw.machine import vitals
from cw.models import PROTOCOL
from cw.operations.reconciliation.sweep import Hint, hint_next
from cw.states import State
from workerhost.adoption_threads import Adopter
from workerhost.agents import launch
from workerhost.agents.leftovers import end_our_own
from workerhost.agents.readiness import Fitness, fitness
from workerhost.inbox.queue_consumer import QueueConsumer
from workerhost.inbox.slots import Slots
from workerhost.notices.credential_ends import end_teller
from workerhost.registration import Registration
from workerhost.runs.run_context import Context

log = logging.getLogger("workerhost.heartbeat")

STARTING = "it is starting"


class Heartbeat:
    """`found`: the HOMEs that are known, shared with the host. `forgotten`: called when the broker
    does not know one of them any more.
    """

    def __init__(
        self,
        ctx: Context,
        slots: Slots,
        consumer: QueueConsumer,
        found: dict[str, Home],
        hint: Hint,
        forgotten: Callable[[], None],
    ) -> None:
        self._ctx = ctx
        self._slots = slots
        self._consumer = consumer
        self._homes = found
        self._hint = hint
        self._registration = Registration(ctx, slots, consumer, found, forgotten)
        self._ends = end_teller(ctx.store, ctx.settings)
        self._fit = Fitness("", "")
        self.named = True  # whether our name is ours

    def begin(self, adopter: Adopter) -> None:
        """Before the consumer: what waits on the disk comes before what waits in the queues.

        Raises BadInputError when a machine that is up has our name.
        """
        self._registration.check_name()
        self._report(STARTING)  # before its workers: they are those of a machine that is known
        self._registration.look()
        self._registration.drop_old_names()
        for home in self._homes.values():
            end_our_own(home)
        adopter.begin(self._homes)
        self._fit = self._fitness()  # starts the agent program once
        self._apply_requests()

    def refuse(self, why: str) -> None:
        """Say why this host takes nothing, and will not begin."""
        self._registration.check_name()
        self._report(why)

    def tick(self, adopter: Adopter) -> None:
        """Raises BrokerUnavailableError. What else goes wrong in one step harms none of the others:
        without a sign of life this host would be taken for lost.
        """
        apart = self._ctx.troubles.run
        apart("finding", self._registration.look)
        apart("readiness", self._look_at_agent)
        apart("proofs", partial(self._ctx.proof.look_again, self._homes))
        self._report()
        if self._ctx.leaving.closing.is_set():
            self._consumer.watchdog.turned()  # there is nothing to consume any more
            self._apply_requests()
            return
        apart("adopting", partial(adopter.look, self._homes))
        self._apply_requests()
        self._consumer.resume()
        for worker in self._slots.accepting():
            apart("hints", partial(self._hint_next, worker), worker)

    def _look_at_agent(self) -> None:
        self._fit = self._fitness()

    def _fitness(self) -> Fitness:
        return fitness(self._ctx.runner, self._ctx.settings, self._ctx.host_env)

    def _version(self) -> str:
        """The field is older than programs that are not claude."""
        name = self._ctx.runner.name
        return self._fit.version if name == "claude" else f"{name} {self._fit.version}"

    def _unfit(self) -> str:
        named = "" if self.named else "another machine that is up has its name"
        return named or self._ctx.wall.unfit or self._fit.unfit or self._ctx.proof.failed

    def _report(self, starting: str = "") -> None:
        wall = self._ctx.wall
        closing = self._ctx.leaving.closing.is_set()
        still = "its consumer stands still" if self._consumer.watchdog.stands_still() else ""
        stopping = "it is being stopped and waits for its runs" if closing else ""
        unfit = starting or stopping or self._unfit() or still
        before = time.time()
        now = self._ctx.store.tasks.now()
        clock = (before + time.time()) / 2 - now.timestamp()
        beat = HostRecord(
            name=self._ctx.settings.host_name,
            pid=os.getpid(),
            version=cw.__version__,
            claude=self._version(),
            isolation=wall.mode,
            access=self._ctx.access.words(),
            workers=len(self._slots.known()),
            warning=unfit or self._registration.words() or wall.warning,
            unfit=unfit,
            protocol=PROTOCOL,
            machine=self._registration.machine,
            tags=" ".join(self._ctx.settings.host_tags),
            clock_ms=round(clock * 1000),
            troubles=self._ctx.troubles.told(),
            **asdict(vitals(self._ctx.settings.workers_root)),
        )
        named = self._ctx.store.fleet.beat(beat, now)
        if self.named and not named:
            log.error("another machine that is up has the name %s: CW_HOST_NAME", beat.name)
        self.named = named

    def _hint_next(self, worker: str) -> None:
        hint_next(self._ctx.store, self._hint, worker, self._ctx.accounts.takes)

    def _apply_requests(self) -> None:
        """What people asked of this host's workers since the last look, and what their accounts
        take.
        """
        name = self._ctx.settings.host_name
        fleet = self._ctx.store.fleet.workers()
        workers = [worker for worker in fleet if worker.id in self._homes and worker.host == name]
        look = partial(self._ctx.accounts.look, workers, self._homes)
        self._ctx.troubles.run("accounts", look)
        if self._ctx.settings.notify_to:  # else a host that has it tells people
            self._ctx.troubles.run("ending", partial(self._look_at_ends, fleet))
        for worker in workers:
            self._ctx.troubles.run("requests", partial(self._apply_requests_of, worker), worker.id)

    def _look_at_ends(self, fleet: list[Worker]) -> None:
        self._ends.look(self._ctx.accounts.known(), fleet, self._ctx.store.tasks.now())

    def _apply_requests_of(self, worker: Worker) -> None:
        shut = bool(worker.paused or self._unfit() or self._ctx.accounts.closed(worker.id))
        self._slots.pin(worker.id, worker.task, paused=shut)
        if worker.task and shim_lives(self._homes[worker.id]):
            task = self._ctx.store.tasks.get(worker.task)
            if task and task.state is State.RUNNING and task.stop_wanted:
                launch.stop(self._homes[worker.id])
