"""`cw notify`: whether notices arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import json_out, say
from cw.errors import BadInputError

if TYPE_CHECKING:
    from cw.operations.fleet.notifiers import TriedRow


@click.group(no_args_is_help=False, subcommand_metavar="test")
def command() -> None:
    """Notices: what does not move without a person is told where CW_NOTIFY_TO says. See: test."""


@command.command("test")
@json_option
@with_cli
def test(cli: Cli, as_json: bool) -> None:
    """Send a notice to each address of CW_NOTIFY_TO from here, and say what came of it.

    Exit status 1 when one of them did not take it. Hosts tell theirs by the settings of their own
    machine. What could not be told is in cw status and cw outbox.
    """
    from cw.operations.fleet.notifiers import try_all

    if not cli.settings.notify_to:
        raise BadInputError(
            "nobody is told anything yet", hint="Set CW_NOTIFY_TO: see docs/notices.md"
        )
    rows = try_all(cli.settings, cli.whoami)
    if as_json:
        json_out([row.model_dump(mode="json") for row in rows])
    else:
        _say(rows)
    if not all(row.sent for row in rows):
        click.get_current_context().exit(1)


def _say(rows: list[TriedRow]) -> None:
    for row in rows:
        say(f"{row.to}: {'sent' if row.sent else f'not sent: {row.why}'}")
