"""What `cw` alone shows before its help: the fleet, if a broker answers at once."""

from __future__ import annotations

import os

import click

from cw.errors import CwError

_PATIENCE_SECONDS = 0.5


def greet() -> None:
    """Silent when there is no fleet to be seen: the help is what was wanted then."""
    from cw.broker.address import broker_url
    from cw.cli.shortids import with_short_ids
    from cw.cli.views.fleet import status_lines
    from cw.cli.views.render import terminal_width
    from cw.operations.views.unseen import with_recent
    from cw.settings import load_settings
    from cw.store.store import open_store

    try:
        settings = load_settings(os.environ)[0]
        store = open_store(broker_url(settings), patience=_PATIENCE_SECONDS)
        seen = with_short_ids(store, with_recent(store, store.tasks.now()))
    except (CwError, OSError, ValueError):  # ValueError: records of another version
        return
    if seen.workers:
        for line in status_lines(seen, terminal_width()):
            click.echo(line)
        click.echo()
