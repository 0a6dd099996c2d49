"""`cw down`: stop what `cw up` started here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import json_out, note, say
from cw.errors import CwError

if TYPE_CHECKING:
    from cw.settings import Settings

_TELL_EVERY = 5.0  # seconds


@click.command()
@json_option
@with_cli
def command(cli: Cli, as_json: bool) -> None:
    """Stop what cw up started on this machine.

    Runs of agents go on by themselves, unless the setting host.on_stop says otherwise.
    """
    from cw.services.stopping import agents_running

    stopped = _stop(cli.settings)
    agents = agents_running(cli.settings)
    if as_json:
        json_out({"stopped": stopped, "agents_running": agents})
        return
    say(f"stopped: {', '.join(stopped)}" if stopped else "nothing is running here")
    if agents:
        goes = "agent goes on by itself" if agents == 1 else "agents go on by themselves"
        say(f"{agents} {goes}; the next cw up finds what they did")


def _stop(settings: Settings) -> list[str]:
    """What was stopped. Raises CwError when the supervisor will not end."""
    from cw.services import background, record
    from cw.services.catalog import host_grace
    from cw.services.lock import hold_lock, holder
    from cw.services.stopping import stop_leftovers

    supervisor = holder(settings)
    if supervisor is None:
        if not record.record_file(settings).exists():
            return []
        with hold_lock(settings):
            return stop_leftovers(settings, note)
    running = record.read(settings)
    limit = background.STOP_SECONDS + host_grace(settings)
    if not background.stop(supervisor, limit=limit, waiting=_progress(settings)):
        raise CwError(
            f"cw up (pid {supervisor.pid}) did not end within {limit:.0f} s",
            hint=f"Its log: {settings.state_dir / 'logs' / 'up.log'}",
        )
    return (
        [service.name for service in running.services if service.process] if running else ["cw up"]
    )


def _progress(settings: Settings) -> Callable[[float], None]:
    """On a terminal, says now and then what is waited for."""
    told = 0.0

    def tell(waited: float) -> None:
        nonlocal told
        if waited - told < _TELL_EVERY or not sys.stderr.isatty():
            return
        told = waited
        note(f"still waiting for {_still_there(settings)} ({waited:.0f} s)")

    return tell


def _still_there(settings: Settings) -> str:
    from cw.services import record
    from cw.services.processes import alive

    running = record.read(settings)
    services = running.services if running else ()
    names = [service.name for service in services if service.process and alive(service.process)]
    return ", ".join(names) or "cw up"
