"""What a host does every few seconds: say that it lives, find HOMEs and runs, obey, send hints."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

import cw
from cw.models import Host as HostRecord
from cw.models import Worker
from cw.operations.sweep import Hint, hint_next
from cw.states import State
from workerhost import launch
from workerhost.adopting import Adopter
from workerhost.board import Board
from workerhost.fitness import Fitness, fitness
from workerhost.gate import Gate
from workerhost.holding import Context
from workerhost.layout import Home, homes

log = logging.getLogger("workerhost.rounds")


class Rounds:
    """`found`: the HOMEs that are known, shared with the host. `forgotten`: called when the broker
    does not know one of them any more.
    """

    def __init__(
        self,
        ctx: Context,
        board: Board,
        gate: Gate,
        found: dict[str, Home],
        hint: Hint,
        forgotten: Callable[[], None],
    ) -> None:
        self._ctx = ctx
        self._board = board
        self._gate = gate
        self._homes = found
        self._hint = hint
        self._forgotten = forgotten
        self._fit = Fitness("", "")

    def begin(self, adopter: Adopter) -> None:
        """Before the consumer: what waits on the disk comes before what waits in the queues."""
        self._look_for_homes()
        adopter.look(self._homes)
        self._fit = fitness(self._ctx.settings, self._ctx.host_env)  # starts claude once
        self._obey()

    def turn(self, adopter: Adopter) -> None:
        """Raises BrokerUnavailableError."""
        self._look_for_homes()
        self._fit = fitness(self._ctx.settings, self._ctx.host_env)
        self._beat()
        if self._ctx.leaving.closing.is_set():
            self._gate.watchdog.turned()  # there is nothing to consume any more
            self._obey()
            return
        adopter.look(self._homes)
        self._obey()
        self._gate.open()
        for worker in self._board.willing():
            hint_next(self._ctx.store, self._hint, worker)

    def _beat(self) -> None:
        wall = self._ctx.wall
        closing = self._ctx.leaving.closing.is_set()
        still = "its consumer stands still" if self._gate.watchdog.stands_still() else ""
        unfit = (
            "it is being stopped and waits for its runs" if closing else self._fit.unfit or still
        )
        beat = HostRecord(
            name=self._ctx.settings.host_name,
            pid=os.getpid(),
            version=cw.__version__,
            claude=self._fit.version,
            isolation="bubblewrap" if wall.strict else "none",
            access=self._ctx.access.words(),
            workers=len(self._board.known()),
            warning=unfit or wall.reason,
            unfit=unfit,
        )
        self._ctx.store.fleet.beat(beat, self._ctx.store.tasks.now())

    def _obey(self) -> None:
        """What people asked of this host's workers since the last look."""
        for worker in self._ctx.store.fleet.workers():
            if worker.id not in self._homes or worker.host != self._ctx.settings.host_name:
                continue
            shut = bool(worker.paused or self._fit.unfit)
            self._board.keep(worker.id, worker.task, paused=shut)
            if worker.task and launch.alive(self._homes[worker.id]):
                task = self._ctx.store.tasks.get(worker.task)
                if task and task.state is State.RUNNING and task.stop_wanted:
                    launch.stop(self._homes[worker.id])

    def _look_for_homes(self) -> None:
        # In this order: a removal moves the HOME first and forgets the record afterwards.
        registered = {one.id for one in self._ctx.store.fleet.workers()}
        present = {home.id: home for home in homes(self._ctx.settings.workers_root)}
        for worker, home in present.items():
            self._homes[worker] = home
            new = self._board.add(worker)
            if new or worker not in registered:
                log.info("worker found worker=%s home=%s", worker, home.path)
                host = self._ctx.settings.host_name
                self._ctx.store.fleet.register_worker(
                    Worker(id=worker, host=host, home=str(home.path))
                )
            if not new and worker not in registered:
                self._forgotten()
        for worker in set(self._board.idle()) - set(present):
            log.info("worker gone worker=%s", worker)
            self._board.remove(worker)
            self._gate.close(worker)
