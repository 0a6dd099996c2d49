"""Which workers live here: what lies on the disk, as far as the fleet has it nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from cw.errors import BadInputError
from cw.fleet_models import Worker
from cw.homes.layout import Home, homes
from cw.machine import machine_id
from workerhost.agents.taking import take_home
from workerhost.inbox.queue_consumer import QueueConsumer
from workerhost.inbox.slots import Slots
from workerhost.runs.run_context import Context

log = logging.getLogger("workerhost.registration")


class Registration:
    """`found`: the HOMEs that are known, shared with the host. `forgotten`: called when the broker
    does not know one of them any more.
    """

    def __init__(
        self,
        ctx: Context,
        slots: Slots,
        consumer: QueueConsumer,
        found: dict[str, Home],
        forgotten: Callable[[], None],
    ) -> None:
        self._ctx = ctx
        self._slots = slots
        self._consumer = consumer
        self._homes = found
        self._forgotten = forgotten
        self._elsewhere: dict[str, str] = {}  # worker with a HOME here -> the host that has its id
        self.machine = machine_id(ctx.settings.workers_root)

    def check_name(self) -> None:
        """Raises BadInputError when a machine that is up has our name."""
        name, now = self._ctx.settings.host_name, self._ctx.store.tasks.now()
        for host in self._ctx.store.fleet.hosts():
            if host.name == name and host.up(now) and host.machine not in {"", self.machine}:
                raise BadInputError(
                    f"another machine that is up has the name {name}",
                    hint="Give this one another: CW_HOST_NAME; if it has ended, wait a minute",
                )

    def drop_old_names(self) -> None:
        """This machine's records under names it had before; its workers have moved with it."""
        for host in self._ctx.store.fleet.hosts():
            if host.machine == self.machine and host.name != self._ctx.settings.host_name:
                self._ctx.store.fleet.forget_host(host.name)

    def look(self) -> None:
        """Raises BrokerUnavailableError."""
        # In this order: a removal moves the HOME first and forgets the record afterwards.
        fleet = self._ctx.store.fleet
        registered = {worker.id: worker.host for worker in fleet.workers()}
        present = {home.id: home for home in homes(self._ctx.settings.workers_root)}
        for worker, home in present.items():
            if worker not in registered and fleet.unreadable(worker):
                self._tell_again(home)
            else:
                found = partial(self._found, home, registered.get(worker))
                self._ctx.troubles.run("finding", found, worker)
        for worker in set(self._slots.idle()) - (set(present) - set(self._elsewhere)):
            self._gone(worker)
        for worker in set(self._elsewhere) - set(present):
            del self._elsewhere[worker]

    def words(self) -> str:
        """What a person has to set right; empty when nothing."""
        return "; ".join(
            f"worker {worker} lives on host {host} already and gets nothing here: give this one"
            f" another id; or end that one: cw remove {worker} (or, if that machine is"
            f" lost: cw host forget {host})"
            for worker, host in sorted(self._elsewhere.items())
        )

    def _found(self, home: Home, owner: str | None) -> None:
        worker, name = home.id, self._ctx.settings.host_name
        known = worker in self._slots.known()
        if not known or owner != name:
            record = Worker(id=worker, host=name, home=str(home.path))
            other = self._ctx.store.fleet.register_worker(record, self.machine)
            if other:
                if self._elsewhere.get(worker) != other:
                    log.error("worker lives elsewhere worker=%s host=%s", worker, other)
                self._elsewhere[worker] = other
                return
            self._elsewhere.pop(worker, None)
            log.info("worker found worker=%s home=%s", worker, home.path)
        if not known and (not_ours := take_home(home, self._ctx.wall)):
            log.warning("worker=%s: %s", worker, not_ours)
        self._homes[worker] = home
        self._slots.add(worker)
        if known and owner is None:
            self._forgotten()

    def _tell_again(self, home: Home) -> None:
        """Whose record cannot be read: whether somebody had paused it is not known any more."""
        note = f"its record could not be read, and was written anew: cw resume {home.id}"
        record = Worker(
            id=home.id, host=self._ctx.settings.host_name, home=str(home.path), paused=note
        )
        if self._ctx.store.fleet.renew_worker(record, self.machine):
            log.error("worker recorded anew, and paused worker=%s", home.id)

    def _gone(self, worker: str) -> None:
        log.info("worker gone worker=%s", worker)
        self._slots.remove(worker)
        self._homes.pop(worker, None)
        self._consumer.pause(worker)
