"""`cw outbox`: what GitHub did not take, and notices that nobody took."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import json_out, say, terminal_width
from cw.errors import BadInputError
from cw.names import task_id

if TYPE_CHECKING:
    from cw.operations.views.rows import UndeliveredRow


@click.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--retry", is_flag=True, help="Try these again.")
@click.option("--drop", is_flag=True, help="Give these up.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@json_option
@with_cli
def command(
    cli: Cli, ids: tuple[str, ...], retry: bool, drop: bool, everything: bool, as_json: bool
) -> None:
    """Labels, comments and drafts that GitHub did not take, notices that nobody took, and why.

    A host tries each for hours while GitHub, or the receiver, is in trouble, and sets aside at
    once what is refused. What is set aside holds up nothing. Mend the cause and --retry, or --drop
    what nobody needs any more; after a month it goes by itself, and after a week it cannot be tried
    again.
    """
    from cw.operations.control import outbox

    if not retry and not drop:
        if ids or everything:
            raise BadInputError("what is to be done with them", hint="Give --retry or --drop")
        _show(cli, outbox.set_aside(cli.store), as_json=as_json)
        return
    if retry and drop:
        raise BadInputError("--retry and --drop were both given", hint="Give one of them")
    if bool(ids) == everything:
        raise BadInputError("which of them is not clear", hint="Give ids, or --all")
    wanted = [task_id(typed) for typed in ids]
    done = (outbox.retry if retry else outbox.drop)(cli.control, wanted)
    word = "retry" if retry else "drop"
    cli.audit.add(f"outbox {word}", cli.whoami, writes=[row.id for row in done])
    if as_json:
        json_out([row.model_dump(mode="json") for row in done])
        return
    from cw.cli.views.undelivered import label_of

    said = "will be tried again" if retry else "dropped"
    for row in done:
        say(f"{row.id} {row.kind} on {label_of(row)}: {said}")
    if not done:
        say("nothing was set aside")


def _show(cli: Cli, rows: list[UndeliveredRow], *, as_json: bool) -> None:
    from cw.cli.views.undelivered import undelivered_table

    if as_json:
        json_out([row.model_dump(mode="json") for row in rows])
        return
    if not rows:
        say("Nothing was set aside.")
        return
    width, now = terminal_width(), cli.store.tasks.now()
    for line in undelivered_table(rows, now, width):
        say(line)
    say("Try them again with: cw outbox --retry ID (or --all); give them up with: --drop")
