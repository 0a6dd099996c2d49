"""The host: one Celery worker for all identities of this machine, and what it does in between."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from os import EX_TEMPFAIL
from typing import Any

from cw import sdnotify
from cw.audit import Audit, audit_file
from cw.broker.address import broker_url
from cw.broker.app import make_app, send_ask, send_hint
from cw.errors import CwError
from cw.homes.agent_user import agent_user
from cw.homes.layout import Home
from cw.keyring import load_keyring
from cw.models import TaskSpec
from cw.operations.control.shared import Control
from cw.operations.reconciliation.sweep import Swept, sweep
from cw.settings import Settings
from cw.store.mending import mend
from cw.store.store import open_store
from workerhost import self_checks
from workerhost.adoption_threads import Adopter
from workerhost.broker_clock import BrokerClock
from workerhost.deliveries import Deliveries
from workerhost.github.clients import Clients
from workerhost.github.token_access import check_access, open_access
from workerhost.github.token_lending import TokenLender
from workerhost.heartbeat import Heartbeat
from workerhost.hinted_runs import HintedRuns
from workerhost.inbox import answers
from workerhost.inbox.admission import admit
from workerhost.inbox.queue_consumer import QueueConsumer
from workerhost.inbox.remote_control import Revoker
from workerhost.inbox.replay_protection import ReplayProtection
from workerhost.inbox.slots import Slots
from workerhost.inbox.watchdog import Watchdog
from workerhost.merges import Merges
from workerhost.programs.known import runner_of
from workerhost.rebuilder import Rebuilder
from workerhost.runs import crash_loops
from workerhost.runs.home_accounts import HomeAccounts
from workerhost.runs.run_context import Context
from workerhost.runs.wall_proof import proof_of
from workerhost.shutdown import Leaving
from workerhost.tick_thread import TickThread
from workerhost.walls.isolation import choose_wall

log = logging.getLogger("workerhost.host")


class Host:
    """Composition root of the host process."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.app = make_app(settings, self._admit)
        self.slots = Slots()
        self.leaving = Leaving(settings.on_stop)
        self._homes: dict[str, Home] = {}
        self.ctx, clients = self._context(environ)
        self.tickets = ReplayProtection(self.ctx.store, settings.host_name)
        self.hints = HintedRuns(self.ctx, self.slots, self._homes, self._release)
        self.consumer = QueueConsumer(
            self.slots, settings.host_name, Watchdog(settings.deaf_after), self.hints
        )
        self._clock = BrokerClock(
            self.ctx.store.tasks.now, ttl=settings.lease_ttl, jump=settings.lease_margin / 2
        )
        self._adopter = Adopter(self.ctx, self.slots, self._release)
        self._rebuilder = Rebuilder(self.ctx)
        self._heartbeat = Heartbeat(
            self.ctx, self.slots, self.consumer, self._homes, self._hint, self._rebuilder.start
        )
        self._ticks = TickThread(
            self.ctx, self.consumer, self._clock, self._heartbeat, self._adopter
        )
        self._deliveries = Deliveries(self.ctx, clients)
        self._merges = Merges(self.ctx, self.slots, self._homes, self._release)
        self._lender = TokenLender(self.ctx.access, self._homes, self.leaving, self.ctx.troubles)

    def _context(self, environ: Mapping[str, str]) -> tuple[Context, Clients]:
        """Raises CwError when this host may not begin: its user, its wall, its tokens, its key."""
        settings = self.settings
        agent_user(settings)
        wall, runner = choose_wall(settings), runner_of(settings)
        check_access(settings, wall)
        access = open_access(settings)
        clients = Clients(settings, access, self._homes)
        store = open_store(broker_url(settings), load_keyring(settings))
        ctx = Context(
            settings=settings,
            store=store,
            audit=Audit(
                audit_file(settings), lambda head: store.audit.keep(settings.host_name, head)
            ),
            wall=wall,
            host_env=dict(environ),
            leaving=self.leaving,
            access=access,
            proof=proof_of(settings, wall, runner, environ),
            runner=runner,
            github_for=clients.of,
            settled=self._settled,
            accounts=HomeAccounts(settings, store, environ),
        )
        return ctx, clients

    def start(self) -> None:
        """Find the identities and their runs, then keep at it in the background."""
        mend(self.ctx.store)
        self._need_guards()
        self._heartbeat.begin(self._adopter)
        self._clock.believed()
        self._ticks.start()
        self._rebuilder.start()
        self._deliveries.start()
        self._lender.start()
        self._merges.start()

    def _need_guards(self) -> None:
        """Nothing is heard while one does not hold. Raises CwError."""
        keyring, name = self.ctx.store.connection.keyring, self.settings.host_name
        why = self_checks.broken(self.app, keyring, self.tickets, name)
        if why:
            self._heartbeat.refuse(f"a guard does not hold: {why}")
            raise CwError(f"a guard does not hold: {why}", hint="Install the versions of cw's lock")

    def sweep(self) -> Swept:
        """The body of `cw.sweep`."""
        store, believed = self.ctx.store, self._clock.believed()
        guard = partial(self.ctx.troubles.watch, "sweep")
        swept = sweep(store, self._hint, self.settings, leases_end=believed, guard=guard)
        if swept != Swept():
            log.info("swept %s", swept)
        return swept

    def answer(self, request: dict[str, Any]) -> None:
        """The body of `cw.ask`."""
        with self.ctx.troubles.watch("answer"):
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
        self._deliveries.wake()
        self._ticks.wake()
        self._ticks.join()  # so that no heartbeat comes after the goodbye
        try:
            if self._heartbeat.named:
                self.ctx.store.fleet.leave(self.settings.host_name)
        except CwError as error:
            log.warning("%s", error)
        return EX_TEMPFAIL if self._ticks.deaf else 0

    def _admit(self, message: dict[str, Any], queue: str) -> str:
        return admit(message, queue) or self.tickets.control(message, queue)

    def _settled(self) -> None:
        self._deliveries.wake()
        self._ticks.wake()

    def _release(self, worker: str) -> None:
        self.slots.release(worker)
        if not self.leaving.closing.is_set():
            self.consumer.resume()
        self._ticks.wake()

    def _hint(self, spec: TaskSpec, worker: str | None) -> None:
        send_hint(self.app, spec, worker)
