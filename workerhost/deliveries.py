"""What goes out of a host, apart from its tick: writes to GitHub, and notices."""

from __future__ import annotations

import threading
from functools import partial

from cw.notices.addresses import parse
from cw.operations.dispatch.readiness import remember_no_drafts
from cw.operations.rest.outdated import outdated
from workerhost.github.clients import Clients
from workerhost.github.delivered_writes import Delivered, delivered_file
from workerhost.github.outbox_delivery import Deliverer
from workerhost.loop_thread import Loop
from workerhost.notices.notice_delivery import Teller
from workerhost.runs.run_context import Context


class Deliveries:
    """A thread for each of the two: GitHub may take its time, and neither waits for the other."""

    def __init__(self, ctx: Context, clients: Clients) -> None:
        self._ctx = ctx
        self._clients = clients
        self._deliverer = _deliverer(ctx)
        self._teller = _teller(ctx)
        self._noting = threading.Lock()
        self._late: dict[str, str] = {}
        self._loops = (Loop("outbox", self._deliver, ctx), Loop("notices", self._tell, ctx))

    def start(self) -> None:
        for loop in self._loops:
            loop.start()

    def wake(self) -> None:
        """Something was recorded that is to be delivered, or the host leaves."""
        for loop in self._loops:
            loop.woken.set()

    def _deliver(self) -> None:
        self._deliverer.deliver()
        self._note_late("github", self._deliverer.late())
        self._clients.tell_budgets(self._ctx.store.github)

    def _tell(self) -> None:
        self._teller.deliver()
        self._note_late("notices", self._teller.late())

    def _note_late(self, of: str, words: str) -> None:
        with self._noting:
            if words != self._late.get(of):
                late = self._late | {of: words}
                told = "; ".join(late[kind] for kind in sorted(late) if late[kind])
                self._ctx.store.fleet.note_late(self._ctx.settings.host_name, told)
                self._late = late


def _deliverer(ctx: Context) -> Deliverer:
    return Deliverer(
        ctx.store.outbox,
        ctx.settings.host_name,
        Delivered(delivered_file(ctx.settings)),
        ctx.github_for,
        ctx.troubles,
        no_drafts=partial(remember_no_drafts, ctx.store.github),
        outdated=partial(outdated, ctx.store),
    )


def _teller(ctx: Context) -> Teller:
    settings = ctx.settings
    return Teller(
        ctx.store.notices,
        settings.host_name,
        Delivered(delivered_file(settings, "notices")),
        {address.name: address for address in map(parse, settings.notify_to)},
        settings.notify_secret,
    )
