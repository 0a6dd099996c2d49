"""What goes wrong, one function a fault."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

import psutil

from bench.chaos import network
from bench.chaos.breaking import Breaking
from bench.chaos.fleet import LEASE_SECONDS, Fleet, Host, pick
from bench.chaos.load import Load
from bench.chaos.recovery import Recovery, fences_of
from cw.errors import CwError
from cw.homes import journal
from cw.homes.layout import Home
from cw.models import Outcome
from cw.names import POOL_QUEUE, worker_queue
from cw.states import Move, OutcomeKind, State
from cw.store.lease_values import Holder, Settlement

_SAID = frozenset({"killed", "done"})


@dataclass
class Faults:
    """Keeps its own account of what it did, to which task and when (epoch seconds)."""

    fleet: Fleet
    load: Load
    dice: random.Random
    done: dict[str, int] = field(default_factory=dict)
    at: list[tuple[str, float, str]] = field(default_factory=list)  # fault, when, host or task
    agents_killed: set[str] = field(default_factory=set)  # tasks
    spoken: set[str] = field(default_factory=set)  # tasks an earlier holder has spoken about
    late_words: int = 0
    late_accepted: int = 0
    threads: list[Thread] = field(default_factory=list)
    _told: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)
    renaming: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.recovery = Recovery(self.fleet, self.load)
        self.breaking = Breaking(
            self.fleet, self.load.log, self.load.going_on, self.load.settings, self.dice
        )

    @property
    def struck(self) -> int:
        return sum(self.done.values())

    def inject(self, name: str) -> None:
        now = time.time()
        who = FAULTS[name].strike(self)
        if who is None:
            return  # nothing to do it to
        self.at.append((name, now, who))
        self.done[name] = self.done.get(name, 0) + 1

    def told(self) -> set[str]:
        """Tasks whose agent was killed and whose record says so, or that its work was done."""
        for one in self.agents_killed - self._told:
            with suppress(CwError):
                task = self.load.store.tasks.get(one)
                reason = task.outcome.reason if task and task.outcome else ""
                if task and task.state is State.DONE and reason in _SAID:
                    self._told.add(one)
        return set(self._told)

    def kill_host(self) -> str | None:
        with self._lock:
            host = pick(self.dice, self.fleet.hosts)
            if host is None:
                return None
            before, fences = time.monotonic(), fences_of(host)
            host.strikes += 1
            self.fleet.kill(host)
            self.fleet.start(host)
        self.recovery.watch("kill host", host, before, fences)
        return host.name

    def deploy(self) -> str | None:
        """SIGTERM, and a new host when the old one is gone."""
        with self._lock:
            host = pick(self.dice, self.fleet.hosts)
            if host is None or host.process is None:
                return None
            host.frozen = True  # nobody else's business meanwhile
            host.strikes += 1
        self.apart(self._restart, host)
        return host.name

    def _restart(self, host: Host) -> None:
        assert host.process
        before, fences = time.monotonic(), fences_of(host)
        host.process.terminate()
        try:
            host.process.wait(20)
        except subprocess.TimeoutExpired:
            self.load.unexpected.append(f"host {host.name} did not leave")
        finally:
            self.fleet.kill(host)
            self.fleet.start(host)
            host.frozen = False
        self.recovery.watch("deploy", host, before, fences)

    def partition(self) -> str | None:
        """A host that hears and says nothing for longer than its leases, while its agents go on."""
        with self._lock:
            host = pick(self.dice, self.fleet.hosts)
            if host is None or host.process is None:
                return None
            host.frozen = True
            host.strikes += 1
            host.process.send_signal(signal.SIGSTOP)
        self.apart(self._thaw, host, host.process.pid)
        return host.name

    def _thaw(self, host: Host, pid: int) -> None:
        time.sleep(LEASE_SECONDS + 2)
        before, fences = time.monotonic(), fences_of(host)
        with suppress(psutil.Error):
            psutil.Process(pid).send_signal(signal.SIGCONT)
        host.frozen = False
        self.recovery.watch("thaw", host, before, fences)

    def kill_agent(self) -> str | None:
        home = self._busy()
        agent = self.fleet.agent_of(home) if home else None
        book = journal.read(home) if home else None
        if agent is None or book is None:
            return None
        self.agents_killed.add(book.task.id)
        with suppress(psutil.Error):
            agent.kill()
        return book.task.id

    def kill_done_agent(self) -> str | None:
        """One that has said its last word, and takes its time to end."""
        there = {one.task for one in self.load.log.read() if one.lingers}
        for home in self.fleet.homes:
            book = journal.read(home)
            agent = self.fleet.agent_of(home)
            if agent and book and book.task.id in there:
                with suppress(psutil.Error):
                    agent.kill()
                    return book.task.id
        return None

    def kill_shim(self) -> str | None:
        home = self._busy()
        shim = self.fleet.shim_of(home) if home else None
        book = journal.read(home) if home else None
        if shim is None or book is None:
            return None
        with suppress(psutil.Error):
            shim.kill()
        return book.task.id

    def kill_fork_server(self) -> str | None:
        """With each git and each of its ways to the network that the host has under way."""
        host = pick(self.dice, self.fleet.hosts)
        server = self.fleet.fork_server_of(host) if host else None
        if host is None or server is None:
            return None
        with suppress(psutil.Error):
            server.kill()
        return host.name

    def kill_broker(self) -> str:
        self.fleet.broker.kill()
        self.fleet.broker.start()
        return "broker"

    def kill_beat(self) -> str | None:
        """One of the two, perhaps the one that sends."""
        return self.fleet.beats.kill_one(self.dice) if self.fleet.beats else None

    def freeze_broker(self) -> str:
        """For less than a lease's margin: no run has to end for it."""
        self.fleet.broker.freeze(1.5)
        return "broker"

    def forget_messages(self) -> str:
        """Every message of every queue of runs."""
        queues = [POOL_QUEUE, *(worker_queue(one) for one in self.load.workers)]
        self.fleet.broker.delete(*queues)
        return "queues"

    def late_word(self) -> str | None:
        """The holder of an earlier run speaks up while a later one is under way."""
        runs = self.load.log.read()
        later = [
            one
            for one in runs
            if one.rc is None and time.time() - one.last < 1 and one.task not in self.spoken
        ]
        for one in later:
            old = [was for was in runs if was.task == one.task and was.fence < one.fence]
            if old:
                self.spoken.add(one.task)
                self._speak(one.task, old[-1].home, old[-1].fence)
                return one.task
        return None

    def _speak(self, task: str, worker: str, fence: int) -> None:
        store = self.load.store.tasks
        lie = Outcome(kind=OutcomeKind.FAILED, reason="killed", message="late word")
        try:
            heard = store.renew(task, fence, LEASE_SECONDS)
            holder = Holder(task, worker, fence)
            heard |= store.settle(holder, Settlement(Move.FINISH, lie))
        except CwError:
            return
        self.late_words += 1
        self.late_accepted += heard

    def _busy(self) -> Home | None:
        homes = [one for one in self.fleet.homes if one.shim.exists() and one.journal.exists()]
        return self.dice.choice(homes) if homes else None

    def apart(self, what: Callable[..., None], *args: object) -> None:
        thread = Thread(target=what, args=args)
        thread.start()
        self.threads.append(thread)

    def finish(self) -> None:
        for one in self.threads:
            one.join()


@dataclass(frozen=True, slots=True)
class Fault:
    """`often`: in the gate. `strike` returns the host or task it struck; None: there was none."""

    often: int
    strike: Callable[[Faults], str | None]


# What goes wrong at random. A fault is one entry.
FAULTS: dict[str, Fault] = {
    "kill host": Fault(40, Faults.kill_host),
    "kill agent": Fault(40, Faults.kill_agent),
    "kill shim": Fault(10, Faults.kill_shim),
    "kill fork server": Fault(20, Faults.kill_fork_server),
    "kill broker": Fault(5, Faults.kill_broker),
    "kill beat": Fault(5, Faults.kill_beat),
    "freeze broker": Fault(3, Faults.freeze_broker),
    "partition": Fault(10, Faults.partition),
    "deploy": Fault(6, Faults.deploy),
    "forget messages": Fault(10, Faults.forget_messages),
    "late word": Fault(6, Faults.late_word),
    "break clone": Fault(20, lambda faults: faults.breaking.strike()),
    "kill agent after its word": Fault(6, Faults.kill_done_agent),
    "spoil tunnels": Fault(20, network.spoil_tunnels),
    "refuse tunnels": Fault(3, network.refuse_tunnels),
    "rename repository": Fault(2, network.rename),
}
