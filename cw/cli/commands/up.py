"""`cw up`: start what this machine needs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cw.broker.address import broker_url
from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import json_out, note, say
from cw.errors import BrokerUnavailableError, CwError

if TYPE_CHECKING:
    from cw.settings import Settings

_BROKER_SECONDS = 10.0  # after a reboot a configured broker may come a little later than we


@click.command()
@click.option("-d", "--detach", is_flag=True, help="Go on in the background once everything runs.")
@click.option("--no-flower", is_flag=True, help="Without the web page.")
@json_option
@with_cli
def command(cli: Cli, detach: bool, no_flower: bool, as_json: bool) -> None:
    """Start what this machine needs: a broker when none is configured, host, beat and Flower.

    What ends is started again. Ctrl-C (or cw down) stops everything but the agents: they go on
    and the next cw up finds them; Ctrl-C twice waits for nothing. With -d the command returns when
    everything runs, and also when it ran already.
    """
    from cw.homes.agent_user import agent_user
    from cw.notices.addresses import check

    settings = replace(cli.settings, flower_port=0) if no_flower else cli.settings
    agent_user(settings)  # refused here, not in the log of a host that does not start
    check(settings.notify_to)
    if settings.broker_url:
        _await_broker(broker_url(settings))
    if detach:
        _start_detached(cli, settings, as_json)
    else:
        _run_here(cli, settings, as_json)


def _start_detached(cli: Cli, settings: Settings, as_json: bool) -> None:
    from cw.services import background
    from cw.services.catalog import catalog
    from cw.services.lock import holder

    running = holder(settings)
    if running is None:
        catalog(settings)  # refuses here what the background could only write into its log
        flags = () if settings.flower_port else ("--no-flower",)
        with cli.audit.after("up", cli.whoami, detach=True):
            background.start(settings, command=(*background.COMMAND, *flags), show=note)
    elif not as_json:
        say(f"cw up runs already (pid {running.pid})")
    _show(settings, as_json)


def _run_here(cli: Cli, settings: Settings, as_json: bool) -> None:
    from cw.services.catalog import catalog
    from cw.services.supervisor import RUNS, supervise

    def all_ready() -> None:
        try:  # now, not when it is over: that may be never
            cli.audit.add("up", cli.whoami)
        except CwError as error:  # what runs, runs; the host itself starts no agent without a line
            note(f"warning: {error.line()}")
        _show(settings, as_json)
        if not as_json:
            say(f"Ctrl-C stops them; {RUNS[settings.on_stop]}.")

    supervise(settings, catalog(settings), say=note if as_json else say, all_ready=all_ready)


def _show(settings: Settings, as_json: bool) -> None:
    from cw.services.summary import lines, summary

    found = summary(settings)
    if as_json:
        json_out(found)
        return
    for line in lines(found):
        click.echo(line)  # in columns, which `say` would close up


def _await_broker(url: str) -> None:
    """Raises BrokerUnavailableError when the configured broker stays away."""
    from cw.store.store import open_store

    store = open_store(url)
    deadline = time.monotonic() + _BROKER_SECONDS
    try:
        while True:
            try:
                return store.ping()
            except BrokerUnavailableError as error:
                if time.monotonic() > deadline:
                    raise BrokerUnavailableError(
                        error.message,
                        hint="Start it, or, for a private one, unset CW_BROKER_URL (in config.toml:"
                        " cw config unset broker.url)",
                    ) from error
            time.sleep(0.2)
    finally:
        store.connection.close()
