"""The host: one Celery worker for all identities of this machine, and what it does in between."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from os import EX_TEMPFAIL
from typing import Any

from cw import sdnotify
from cw.audit import Audit, audit_file
from cw.broker.address import broker_url
from cw.broker.app import make_app, send_ask, send_hint
from cw.errors import BrokerUnavailableError, CwError
from cw.homes.agent_user import agent_user
from cw.homes.layout import Home
from cw.keyring import load_keyring
from cw.models import TaskSpec
from cw.notices.addresses import parse
from cw.operations.control.shared import Control
from cw.operations.dispatch.readiness import remember_no_drafts
from cw.operations.reconciliation import rebuilding
from cw.operations.reconciliation.sweep import Swept, sweep
from cw.operations.rest.outdated import outdated
from cw.settings import Settings
from cw.store.mending import mend
from cw.store.store import open_store
from workerhost import self_checks
from workerhost.adoption_threads import Adopter
from workerhost.broker_clock import BrokerClock
from workerhost.github.clients import Clients
from workerhost.github.delivered_writes import Delivered, delivered_file
from workerhost.github.outbox_delivery import Deliverer
from workerhost.github.token_access import check_access, open_access
from workerhost.heartbeat import Heartbeat
from workerhost.inbox import answers
from workerhost.inbox.admission import admit
from workerhost.inbox.queue_consumer import QueueConsumer
from workerhost.inbox.remote_control import Revoker
from workerhost.inbox.replay_protection import ReplayProtection
from workerhost.inbox.slots import Slots
from workerhost.inbox.watchdog import Watchdog, end_process, feed_systemd
from workerhost.notices.notice_delivery import Teller
from workerhost.programs.known import runner_of
from workerhost.runs import crash_loops
from workerhost.runs.attempt import NotRun, run_task
from workerhost.runs.proving import proof_of
from workerhost.runs.run_context import Context
from workerhost.shutdown import Leaving
from workerhost.unexpected_errors import Troubles
from workerhost.walls.isolation import choose_wall

log = logging.getLogger("workerhost.host")

_TICK_SECONDS = 5.0
_END_SECONDS = 15.0  # for the runs to be left alone in good order


class Host:
    """Composition root of the host process."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.app = make_app(settings, self._admit)
        self.board = Slots()
        watchdog = Watchdog(settings.deaf_after)
        self.gate = QueueConsumer(self.board, settings.host_name, watchdog, self._waits)
        self.leaving = Leaving(settings.on_stop)
        self.troubles = Troubles()
        self._deaf = False
        self._rebuilding = threading.Lock()
        self._wake = threading.Event()
        self._outgoing = threading.Event()
        self._news = threading.Event()
        self._homes: dict[str, Home] = {}
        agent_user(settings)
        wall, runner = choose_wall(settings), runner_of(settings)
        check_access(settings, wall)
        self.access = open_access(settings)
        self._clients = Clients(settings, self.access, self._homes)
        store = open_store(broker_url(settings), load_keyring(settings))
        self.ctx = Context(
            settings=settings,
            store=store,
            audit=Audit(
                audit_file(settings), lambda head: store.audit.keep(settings.host_name, head)
            ),
            wall=wall,
            host_env=dict(environ),
            leaving=self.leaving,
            access=self.access,
            proof=proof_of(settings, wall, runner, environ),
            runner=runner,
            github_for=self._clients.of,
            settled=self._settled,
            troubles=self.troubles,
        )
        self.tickets = ReplayProtection(self.ctx.store, settings.host_name)
        self._noting = threading.Lock()
        self._late: dict[str, str] = {}
        self._deliverer = Deliverer(
            store.outbox,
            settings.host_name,
            Delivered(delivered_file(settings)),
            self._clients.of,
            self.troubles,
            no_drafts=partial(remember_no_drafts, store.github),
            outdated=partial(outdated, store),
        )
        self._teller = Teller(
            store.notices,
            settings.host_name,
            Delivered(delivered_file(settings, "notices")),
            {one.name: one for one in map(parse, settings.notify_to)},
            settings.notify_secret,
        )
        self._clock = BrokerClock(
            store.tasks.now, ttl=settings.lease_ttl, jump=settings.lease_margin / 2
        )
        self._adopter = Adopter(self.ctx, self.board, self._release)
        self._ticking = threading.Thread(target=self._tick_forever, name="tick", daemon=True)
        self._rounds = Heartbeat(
            self.ctx,
            self.board,
            self.gate,
            self._homes,
            self._hint,
            self._rebuild,
        )

    def start(self) -> None:
        """Find the identities and their runs, then keep at it in the background."""
        mend(self.ctx.store)
        self._need_guards()
        self._rounds.begin(self._adopter)
        self._clock.believed()
        self._ticking.start()
        self._rebuild()
        threading.Thread(target=self._deliver_forever, name="outbox", daemon=True).start()
        threading.Thread(target=self._tell_forever, name="notices", daemon=True).start()
        threading.Thread(target=self._lend_forever, name="tokens", daemon=True).start()

    def _need_guards(self) -> None:
        """Nothing is heard while one does not hold. Raises CwError."""
        keyring, name = self.ctx.store.connection.keyring, self.settings.host_name
        why = self_checks.broken(self.app, keyring, self.tickets, name)
        if why:
            self._rounds.refuse(f"a guard does not hold: {why}")
            raise CwError(f"a guard does not hold: {why}", hint="Install the versions of cw's lock")

    def run(self, task_id: str) -> str:
        """A hint arrived: the body of `cw.run`."""
        worker = self.board.claim(task_id)
        if worker is None:
            self._unhint(task_id)
            return NotRun("no idle worker, or it does not wait for one of these")
        try:
            said = self._run(worker, task_id)
            if isinstance(said, NotRun):
                self._unhint(task_id)
            return said
        finally:
            self._release(worker)

    def _run(self, worker: str, task_id: str) -> str:
        """What is odd about one task ends here. A run that had begun has a journal, and is seen
        through from there.
        """
        if self.troubles.waits("run", task_id):
            return NotRun("it failed for an unforeseen reason a moment ago")
        try:
            return run_task(self.ctx, self._homes[worker], task_id)
        except BrokerUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  one of the outermost loops
            trouble = self.troubles.count("run", error, task_id)
            said = f"unforeseen {trouble.error} at {trouble.place}"
            self.ctx.store.tasks.note(task_id, f"host {self.settings.host_name}: {said}")
            return NotRun(said)

    def pass_over(self, task_id: str) -> None:
        """A hint arrived that is not to be acted on."""
        worker = self.board.claim(task_id)
        if worker:
            self._release(worker)

    def sweep(self) -> Swept:
        """The body of `cw.sweep`."""
        store, believed = self.ctx.store, self._clock.believed()
        guard = partial(self.troubles.watch, "sweep")
        swept = sweep(store, self._hint, self.settings, leases_end=believed, guard=guard)
        if swept != Swept():
            log.info("swept %s", swept)
        return swept

    def answer(self, request: dict[str, Any]) -> None:
        """The body of `cw.ask`."""
        with self.troubles.watch("answer"):
            answers.answer(self.ctx, self._homes, request)
        self._settled()

    def revoker(self) -> Revoker:
        """What ends tasks for Celery's remote control."""
        control = Control(
            store=self.ctx.store,
            send=lambda host, request, expires: send_ask(self.app, host, request, expires),
            hint=self._hint,
            by=f"celery control on {self.settings.host_name}",
        )
        patience = 3 * self.settings.stop_grace + 10
        return Revoker(control, self.ctx.audit, self.settings.host_name, patience)

    def leave(self) -> int:
        """The consumer has ended, and with it what it had begun. Returns an exit code: whoever
        started the host starts it again when that is not 0.
        """
        sdnotify.notify(self.ctx.host_env, sdnotify.STOPPING)
        self._adopter.wait()
        for home in self._homes.values():
            crash_loops.leave(home)
        self.leaving.now()
        self._wake.set()
        self._outgoing.set()
        self._news.set()
        self._ticking.join(_TICK_SECONDS)  # so that no heartbeat comes after the goodbye
        try:
            if self._rounds.named:
                self.ctx.store.fleet.leave(self.settings.host_name)
        except CwError as error:
            log.warning("%s", error)
        return EX_TEMPFAIL if self._deaf else 0

    def _tick_forever(self) -> None:
        while not self.leaving.detach.is_set():
            try:
                with self.troubles.watch("tick"):
                    self._clock.believed()
                    self._rounds.turn(self._adopter)
                    self._listen()
            except BrokerUnavailableError as error:
                log.warning("%s", error)
                self.gate.watchdog.turned()  # a new host could not consume either
            feed_systemd(self.ctx.host_env, self.gate.watchdog)
            self._wake.wait(_TICK_SECONDS)
            self._wake.clear()

    def _listen(self) -> None:
        """A consumer that hears nothing any more is replaced, with its process: the next one adopts
        the runs.
        """
        if self.leaving.closing.is_set() or not self.gate.consuming:
            return
        deaf = self.gate.watchdog.look(self.ctx.store.fleet.lengths(self.gate.queues()))
        if deaf:
            log.error("the consumer is deaf queue=%s; the host starts again", deaf)
            self._deaf = True
            self.leaving.now()
            end_process(_END_SECONDS)

    def _deliver_forever(self) -> None:
        """Apart from the tick: GitHub may take its time."""
        while not self.leaving.detach.is_set():
            try:
                self.troubles.run("outbox", self._deliver)
            except BrokerUnavailableError as error:
                log.warning("%s", error)
            self._outgoing.wait(_TICK_SECONDS)
            self._outgoing.clear()

    def _deliver(self) -> None:
        self._deliverer.deliver()
        self._note_late("github", self._deliverer.late())
        self._clients.tell_budgets(self.ctx.store.github)

    def _tell_forever(self) -> None:
        """Apart from GitHub's: neither waits for the other."""
        while not self.leaving.detach.is_set():
            try:
                self.troubles.run("notices", self._tell)
            except BrokerUnavailableError as error:
                log.warning("%s", error)
            self._news.wait(_TICK_SECONDS)
            self._news.clear()

    def _tell(self) -> None:
        self._teller.deliver()
        self._note_late("notices", self._teller.late())

    def _note_late(self, of: str, words: str) -> None:
        with self._noting:
            if words != self._late.get(of):
                late = self._late | {of: words}
                told = "; ".join(late[one] for one in sorted(late) if late[one])
                self.ctx.store.fleet.note_late(self.settings.host_name, told)
                self._late = late

    def _lend_forever(self) -> None:
        """An App's tokens end after an hour, and runs may take longer."""
        while not self.leaving.detach.wait(_TICK_SECONDS):
            for home in list(self._homes.values()):
                with suppress(BrokerUnavailableError):
                    self.troubles.run("tokens", partial(self.access.lend_again, home), home.id)

    def _rebuild(self) -> None:
        """Beside the ticks: there may be thousands of archives."""
        threading.Thread(target=self._rebuild_now, name="rebuild", daemon=True).start()

    def _rebuild_now(self) -> None:
        with self._rebuilding:
            try:
                with self.troubles.watch("rebuild"):
                    rebuilding.tell(rebuilding.rebuild(self.ctx.store, self.settings))
            except CwError as error:
                log.warning("finished tasks not compared with the archives: %s", error)

    def _admit(self, message: dict[str, Any], queue: str) -> str:
        return admit(message, queue) or self.tickets.control(message, queue)

    def _settled(self) -> None:
        self._outgoing.set()
        self._news.set()
        self._wake.set()

    def _release(self, worker: str) -> None:
        self.board.release(worker)
        if not self.leaving.closing.is_set():
            self.gate.open()
        self._wake.set()

    def _hint(self, spec: TaskSpec, worker: str | None) -> None:
        send_hint(self.app, spec, worker)

    def _waits(self, task_id: str, worker: str | None) -> bool:
        try:
            return self.ctx.store.tasks.waits_for(task_id, worker)
        except CwError:
            return True  # its run will find out

    def _unhint(self, task_id: str) -> None:
        """Its hint was used up without effect; the next idle identity sends another."""
        try:
            self.ctx.store.tasks.mark_unhinted(task_id)
        except BrokerUnavailableError:
            return
