"""Terminate, wait, kill: for our children and for what a killed supervisor left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from enum import Enum, auto

from pydantic import ValidationError

from cw.homes.files import read_json
from cw.homes.layout import homes
from cw.services import record
from cw.services.processes import ProcessMark, alive, kill, ours, terminate
from cw.services.record import ServiceRecord
from cw.settings import Settings

HURRIED_GRACE = 1.0
_KILL_SECONDS = 5.0  # a killed process that still shows hangs in the kernel


class StopStep(Enum):
    WAIT = auto()
    KILL = auto()
    GIVE_UP = auto()


def next_step(*, waited: float, grace: float, killed_for: float | None) -> StopStep:
    """`killed_for`: seconds since it was killed; None while it was only asked."""
    if killed_for is not None:
        return StopStep.GIVE_UP if killed_for >= _KILL_SECONDS else StopStep.WAIT
    return StopStep.KILL if waited >= grace else StopStep.WAIT


def stop_all(
    services: Sequence[ServiceRecord],
    *,
    say: Callable[[str], None],
    hurry: Callable[[], bool] = lambda: False,
    pause: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Stop what lives of them, the broker after those who need it. Returns what would not go."""
    left: list[str] = []
    for last in (False, True):
        group = [service for service in services if service.last is last and service.process]
        left += _stop_group(group, say, hurry, pause)
    return left


def _stop_group(
    group: Sequence[ServiceRecord],
    say: Callable[[str], None],
    hurry: Callable[[], bool],
    pause: Callable[[float], None],
) -> list[str]:
    begin = time.monotonic()
    killed: dict[str, float] = {}
    given_up: list[str] = []
    for service in group:
        if service.process:
            terminate(service.process)
    while left := [
        service for service in group if service.name not in given_up and _lives(service)
    ]:
        for service in left:
            now = time.monotonic()
            grace = min(service.grace, HURRIED_GRACE) if hurry() else service.grace
            since = now - killed[service.name] if service.name in killed else None
            step = next_step(waited=now - begin, grace=grace, killed_for=since)
            if step is StopStep.KILL and service.process:
                say(f"{service.name} did not end within {grace:.0f} s; killed")
                kill(service.process)
                killed[service.name] = now
            elif step is StopStep.GIVE_UP:
                given_up.append(service.name)
        pause(0.1)
    return given_up


def _lives(service: ServiceRecord) -> bool:
    return service.process is not None and alive(service.process)


def stop_leftovers(settings: Settings, say: Callable[[str], None]) -> list[str]:
    """Stop what a killed supervisor left. Call it only with the lock. Returns what was stopped."""
    found = record.read(settings)
    if found is None:
        return []
    left = [service for service in found.services if service.process and ours(service.process)]
    for service in left:
        pid = service.process.pid if service.process else 0
        say(f"{service.name} (pid {pid}) was left by an earlier cw up; stopping it")
    stop_all(left, say=say)
    record.forget(settings)
    return [service.name for service in left]


def agents_running(settings: Settings) -> int:
    """Agents on this machine whose shims live: they go on without the host."""
    return sum(_shim_lives(read_json(home.shim)) for home in homes(settings.workers_root))


def _shim_lives(state: dict[str, object] | None) -> bool:
    try:
        return alive(
            ProcessMark.model_validate({k: (state or {})[k] for k in ("pid", "start", "boot")})
        )
    except (KeyError, ValidationError):
        return False
