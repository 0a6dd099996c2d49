"""The host: one Celery worker for all identities of this machine, and what it does in between."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import cw
from cw.broker import broker_url, make_app, send_hint
from cw.errors import BrokerUnavailableError, CwError
from cw.models import Host as HostRecord
from cw.models import TaskSpec, Worker
from cw.operations.sweep import Swept, hint_next, sweep
from cw.settings import Settings
from cw.states import State
from cw.store.store import open_store
from workerhost import adoption, answers, deliver, launch
from workerhost.agentenv import own_variables
from workerhost.attempt import run_task
from workerhost.board import Board
from workerhost.fitness import fitness
from workerhost.gate import Gate
from workerhost.holding import Context
from workerhost.layout import Home, homes
from workerhost.sandbox import choose_wall

if TYPE_CHECKING:
    from cw.github.client import GitHub

log = logging.getLogger("workerhost.host")

_TICK_SECONDS = 5.0


class Host:
    """Composition root of the host process."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.app = make_app(settings)
        self.board = Board()
        self.gate = Gate(self.board, settings.host_name)
        self.detach = threading.Event()
        self._wake = threading.Event()
        self._outgoing = threading.Event()
        self._homes: dict[str, Home] = {}
        self._fit = fitness(settings, environ)
        self.ctx = Context(
            settings=settings,
            store=open_store(broker_url(settings)),
            wall=choose_wall(settings),
            host_env=dict(environ),
            detach=self.detach,
            github_for=self._github_for,
            settled=self._settled,
        )

    def start(self) -> None:
        """Find the identities and their runs, then keep at it in the background."""
        self._look_for_homes()
        self._adopt()
        self._obey()
        threading.Thread(target=self._tick_forever, name="tick", daemon=True).start()
        threading.Thread(target=self._deliver_forever, name="outbox", daemon=True).start()

    def run(self, task_id: str) -> str:
        """A hint arrived: the body of `cw.run`."""
        worker = self.board.claim(task_id)
        if worker is None:
            self._unhint(task_id)
            return "not run: no idle worker"
        try:
            said = run_task(self.ctx, self._homes[worker], task_id)
            if said.startswith("not run"):
                self._unhint(task_id)
            return said
        finally:
            self._release(worker)

    def sweep(self) -> Swept:
        """The body of `cw.sweep`."""
        swept = sweep(self.ctx.store, self._hint, self.settings)
        if swept != Swept():
            log.info("swept %s", swept)
        return swept

    def stop(self) -> None:
        """Stop following; agents go on and the next host finds them."""
        self.detach.set()
        self._wake.set()
        self._outgoing.set()
        try:
            self.ctx.store.fleet.leave(self.settings.host_name)
        except CwError:
            return

    def _tick_forever(self) -> None:
        while not self.detach.is_set():
            try:
                self._tick()
            except BrokerUnavailableError as error:
                log.warning("%s", error)
            except Exception:
                log.exception("tick failed")
            self._wake.wait(_TICK_SECONDS)
            self._wake.clear()

    def _deliver_forever(self) -> None:
        """Apart from the tick: GitHub may take its time."""
        outbox, name = self.ctx.store.outbox, self.settings.host_name
        while not self.detach.is_set():
            try:
                deliver.deliver(outbox, name, self._github_for)
            except CwError as error:
                log.warning("%s", error)
            except Exception:
                log.exception("delivery failed")
            self._outgoing.wait(_TICK_SECONDS)
            self._outgoing.clear()

    def _settled(self) -> None:
        self._outgoing.set()
        self._wake.set()

    def _tick(self) -> None:
        store, name = self.ctx.store, self.settings.host_name
        self._look_for_homes()
        self._fit = fitness(self.settings, self.ctx.host_env)
        wall = self.ctx.wall
        beat = HostRecord(
            name=name,
            pid=os.getpid(),
            version=cw.__version__,
            claude=self._fit.version,
            isolation="bubblewrap" if wall.strict else "none",
            workers=len(self.board.known()),
            warning=self._fit.unfit or wall.reason,
        )
        store.fleet.beat(beat, store.tasks.now())
        self._adopt()
        self._obey()
        self.gate.open()
        for worker in self.board.willing():
            hint_next(store, self._hint, worker)

    def _obey(self) -> None:
        """What people asked of this host's workers since the last look."""
        for worker in self.ctx.store.fleet.workers():
            if worker.id not in self._homes or worker.host != self.settings.host_name:
                continue
            shut = bool(worker.paused or self._fit.unfit)
            self.board.keep(worker.id, worker.task, paused=shut)
            if worker.task and launch.alive(self._homes[worker.id]):
                task = self.ctx.store.tasks.get(worker.task)
                if task and task.state is State.RUNNING and task.stop_wanted:
                    launch.stop(self._homes[worker.id])

    def answer(self, request: dict[str, Any]) -> None:
        """The body of `cw.ask`."""
        answers.answer(self.ctx, self._homes, request)
        self._settled()

    def _look_for_homes(self) -> None:
        # In this order: a removal moves the HOME first and forgets the record afterwards.
        registered = {one.id for one in self.ctx.store.fleet.workers()}
        present = {home.id: home for home in homes(self.settings.workers_root)}
        for worker, home in present.items():
            self._homes[worker] = home
            new = self.board.add(worker)
            if new or worker not in registered:
                log.info("worker found worker=%s home=%s", worker, home.path)
                self.ctx.store.fleet.register_worker(
                    Worker(id=worker, host=self.settings.host_name, home=str(home.path))
                )
        for worker in set(self.board.idle()) - set(present):
            log.info("worker gone worker=%s", worker)
            self.board.remove(worker)
            self.gate.close(worker)

    def _adopt(self) -> None:
        for worker in self.board.idle():
            home = self._homes[worker]
            if home.journal.exists() and self.board.reserve(worker):
                threading.Thread(target=self._go_on, args=(home,), name=f"run-{worker}").start()

    def _go_on(self, home: Home) -> None:
        """The identity stays reserved until its journal is dealt with."""
        try:
            while home.journal.exists():
                self._adopt_one(home)
                if self.detach.wait(_TICK_SECONDS if home.journal.exists() else 0):
                    return
        finally:
            self._release(home.id)

    def _adopt_one(self, home: Home) -> None:
        try:
            found = adoption.find(self.ctx, home)
            if found:
                log.info("%s", adoption.adopt(self.ctx, found))
        except BrokerUnavailableError as error:
            log.warning("adoption waits worker=%s: %s", home.id, error)
        except Exception:
            log.exception("adopted run failed worker=%s", home.id)

    def _release(self, worker: str) -> None:
        self.board.release(worker)
        self.gate.open()
        self._wake.set()

    def _hint(self, spec: TaskSpec, worker: str | None) -> None:
        send_hint(self.app, spec, worker)

    def _unhint(self, task_id: str) -> None:
        """Its hint was used up without effect; the next idle identity sends another."""
        try:
            self.ctx.store.tasks.mark_unhinted(task_id)
        except BrokerUnavailableError:
            return

    def _github_for(self, worker: str) -> GitHub | None:
        """The host's token, else the identity's own."""
        home = self._homes.get(worker)
        own = own_variables(home) if home else {}
        token = self.settings.github_token or own.get("GH_TOKEN") or own.get("GITHUB_TOKEN") or ""
        if not token:
            return None
        client: GitHub = _github(self.settings.github_api_url, token, self.settings.github_pace)
        return client


@cache
def _github(api_url: str, token: str, pace: float) -> Any:
    """One client a token: it spaces its writes."""
    from cw.github.client import GitHub

    return GitHub(api_url, token, pace=pace)
