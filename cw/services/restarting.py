"""Giving the services of this machine new code: the supervisor starts again what ends."""

from __future__ import annotations

import time
from collections.abc import Callable

from cw.errors import CwError
from cw.services import record
from cw.services.catalog import BROKER, host_grace
from cw.services.lock import holder
from cw.services.processes import ProcessMark, terminate
from cw.settings import Settings

_SECONDS = 70.0  # beside what a host needs for its runs
_POLL_SECONDS = 0.1


def restart_services(
    settings: Settings, *, tell: Callable[[float], None], seconds: float | None = None
) -> list[str]:
    """Restart all but the broker, whose program is not ours. Runs go on and are adopted.

    Returns what was restarted; nothing when `cw up` does not run here. Raises CwError when one does
    not come back.
    """
    if holder(settings) is None:
        return []
    before = {name: mark for name, mark in _processes(settings).items() if name != BROKER}
    for mark in before.values():
        terminate(mark)
    seconds = host_grace(settings) + _SECONDS if seconds is None else seconds
    begin = time.monotonic()
    while missing := [name for name in before if not _is_back(settings, name, before[name])]:
        waited = time.monotonic() - begin
        if waited > seconds:
            log = settings.state_dir / "logs" / f"{missing[0]}.log"
            raise CwError(f"{', '.join(missing)} did not come back", hint=f"Its log: {log}")
        tell(waited)
        time.sleep(_POLL_SECONDS)
    return list(before)


def _processes(settings: Settings) -> dict[str, ProcessMark]:
    found = record.read(settings)
    services = found.services if found else ()
    return {service.name: service.process for service in services if service.process}


def _is_back(settings: Settings, name: str, before: ProcessMark) -> bool:
    found = record.read(settings)
    services = found.services if found else ()
    return any(
        service.name == name and service.ready and service.process != before for service in services
    )
