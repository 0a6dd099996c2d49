"""Starts the services, starts again what dies, stops them in order."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from cw.errors import CwError
from cw.services import endings, record, restart_policy, trouble
from cw.services.broker_server import serving
from cw.services.catalog import BROKER, Service
from cw.services.child import Child
from cw.services.files import keep_small, private_folder
from cw.services.lock import hold_lock
from cw.services.prober import Prober
from cw.services.processes import ProcessMark, mark
from cw.services.record import ServiceRecord, UpRecord
from cw.services.restart_policy import Action
from cw.services.signals import Signals
from cw.services.stopping import stop_all, stop_leftovers
from cw.settings import Settings

_TICK = 0.25  # seconds; an end is noticed at once, by SIGCHLD
_LOGS_EVERY = 60.0  # seconds between looks at the size of the logs
_SLOW = 60.0  # seconds after which somebody waiting wants to know what for

RUNS = {
    "detach": "runs of agents go on",
    "drain": "the host waits for its runs",
    "interrupt": "runs of agents stop, and go on at the next start",
}

Say = Callable[[str], None]


def supervise(
    settings: Settings,
    services: Sequence[Service],
    *,
    say: Say,
    all_ready: Callable[[], None],
) -> None:
    """Run the services until a signal says stop. Raises BadInputError when `cw up` runs already.

    `all_ready` is called once, when each of them has been ready.
    """
    say = _unbreakable(say)
    with hold_lock(settings), Signals() as signals:
        me = mark(os.getpid())
        if me is None:
            raise CwError("this process cannot be found in the list of processes")
        stop_leftovers(settings, say)
        if any(service.name == BROKER for service in services):
            _stop_lost_broker(settings, say)
        supervisor = Supervisor(settings, services, me, say, all_ready)
        try:
            while not signals.stop:
                supervisor.step(time.monotonic())
                signals.wait(_TICK)
        finally:
            supervisor.stop(signals)


class Supervisor:
    def __init__(
        self,
        settings: Settings,
        services: Sequence[Service],
        me: ProcessMark,
        say: Say,
        all_ready: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._me = me
        self._say = say
        self._all_ready = all_ready
        self._announced = False
        logs = private_folder(settings.state_dir / "logs")
        self._children = [Child(service, logs / f"{service.name}.log") for service in services]
        self._prober = Prober()
        self._saved: UpRecord | None = None
        self._began = self._logs_seen = time.monotonic()
        self._slow_said = False

    def step(self, now: float) -> None:
        for child in self._children:
            action = restart_policy.decide(
                child.watched, alive=child.alive, may_start=self._may_start(child), now=now
            )
            if action is Action.START:
                self._start(child, now)
            elif action is Action.NOTE_END:
                self._note_end(child, now, child.how_it_ended())
        self._probe()
        self._save()
        self._announce(now)
        self._trim_logs(now)

    def stop(self, signals: Signals) -> None:
        self._say(f"stopping; {RUNS[self._settings.on_stop]}")
        self._save()
        services = [child.record() for child in self._children if child.alive]
        left = stop_all(services, say=self._say, hurry=lambda: signals.hurry, pause=signals.wait)
        for child in self._children:
            child.reap()
        if left:
            self._say(f"did not end even when killed: {', '.join(left)}")
        else:
            record.forget(self._settings)
        self._say("stopped")

    def _may_start(self, child: Child) -> bool:
        """A broker that is away for a moment later is no reason to hold anybody back."""
        before = [other for other in self._children if not other.service.needs_broker]
        return not child.service.needs_broker or all(other.was_ready for other in before)

    def _start(self, child: Child, now: float) -> None:
        child.watched = restart_policy.started(child.watched, now)
        try:
            mended = child.start()
        except (CwError, OSError) as error:
            why = error.line() if isinstance(error, CwError) else str(error)
            trouble.keep(self._settings, child.service.name, why)
            self._note_end(child, now, f"could not be started ({why})")
        else:
            self._save()  # at once: what is not written down is not found after a kill -9
            if mended:
                self._say(mended)

    def _note_end(self, child: Child, now: float, how: str) -> None:
        end, name = endings.judge(child), child.service.name
        child.watched = restart_policy.ended(child.watched, now, end.kind)
        child.ready, child.running = False, None
        if end.why:
            how = f"{how}: {end.why}"
            trouble.keep(self._settings, name, end.why)
        if end.mended:
            self._say(end.mended)
        if child.watched.stopped:
            trouble.keep(self._settings, name, f"{end.why}. Mend that, then: cw down; cw up -d")
            self._say(f"{name} {how}. It is not started again. Mend that, then: cw down; cw up -d")
            return
        pause = child.watched.not_before - now
        self._say(f"{name} {how}; starting it again in {pause:.0f} s ({child.log})")

    def _probe(self) -> None:
        for answer in self._prober.answers():
            child = next(child for child in self._children if child.service.name == answer.name)
            if child.running is not answer.running:
                continue  # about an earlier life
            child.asked = False
            if answer.ready:
                child.ready = True
                trouble.over(self._settings, answer.name)
                if child.was_ready:
                    self._say(f"{answer.name} runs again")
                child.was_ready = True
        for child in self._children:
            if child.running and child.alive and not child.ready and not child.asked:
                child.asked = True
                self._prober.ask(child.service, child.running)

    def _announce(self, now: float) -> None:
        if self._announced:
            return
        waiting = [child.service.name for child in self._children if not child.was_ready]
        if not waiting:
            self._announced = True
            with suppress(OSError):  # as in `_unbreakable`
                self._all_ready()
        elif now - self._began > _SLOW and not self._slow_said:
            self._slow_said = True
            self._say(f"still waiting for {', '.join(waiting)}; see {self._children[0].log.parent}")

    def _save(self) -> None:
        services: tuple[ServiceRecord, ...] = tuple(child.record() for child in self._children)
        new = UpRecord(supervisor=self._me, services=services)
        if new == self._saved:
            return
        try:
            record.write(self._settings, new)
        except OSError as error:  # a full disk must not end what runs
            self._say(f"{record.record_file(self._settings)} cannot be written: {error.strerror}")
        self._saved = new

    def _trim_logs(self, now: float) -> None:
        if now - self._logs_seen >= _LOGS_EVERY:
            self._logs_seen = now
            for log in self._children[0].log.parent.glob("*.log"):
                keep_small(log)


def _stop_lost_broker(settings: Settings, say: Say) -> None:
    """One that was started and not written down before the kill -9."""
    found = serving(settings)
    if found is not None:
        say(f"broker (pid {found.pid}) was left by an earlier cw up; stopping it")
        stop_all([ServiceRecord(name=BROKER, process=found, grace=15.0, last=True)], say=say)


def _unbreakable(say: Say) -> Say:
    """A terminal that went away must not end what runs."""

    def quiet(line: str) -> None:
        try:
            say(line)
        except OSError:
            return

    return quiet
