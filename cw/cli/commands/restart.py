"""`cw restart`: let a task go on that waits for a person, or has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.completion import complete_ids
from cw.cli.context import Cli, with_cli
from cw.cli.params import Target, checked, json_option, read_target
from cw.cli.render import json_out, note, say
from cw.cli.steering import find
from cw.errors import BadInputError

if TYPE_CHECKING:
    from cw.operations.restart import Restarted


@click.command()
@click.argument(
    "target", metavar="ID|TASK", callback=checked(read_target), shell_complete=complete_ids
)
@click.option("--fresh", is_flag=True, help="A new session, and the branch from its start.")
@json_option
@with_cli
def command(cli: Cli, target: Target, fresh: bool, as_json: bool) -> None:
    """Let a stopped, crashed, held or failed task go on.

    On its own worker, in the same clone and the same session. With --fresh the agent begins anew:
    the branch is what the remote has of it, else the default branch; what lay in the clone is kept
    below refs/cw/wip.
    """
    from cw.operations.restart import restart

    task = find(cli, target)
    if task is None:
        raise BadInputError(
            f"worker {target.worker} is idle: nothing to restart",
            hint=f"Finished tasks: cw history {target.worker}",
        )
    done = restart(cli.control, task, fresh=fresh)
    if as_json:
        json_out(done.model_dump(mode="json"))
        return
    _tell(done)


def _tell(done: Restarted) -> None:
    who = f"worker {done.worker}" if done.worker else "the first free worker"
    how = "begins anew" if done.fresh else "goes on"
    say(f"{done.label} {how} on {who}. Follow it with: cw watch {done.task}")
    if done.paused:
        note(f"warning: worker {done.worker} is paused ({done.paused}): cw resume {done.worker}")
    if not done.host_up:
        note("warning: its host is not up, so nothing starts yet. Start it there: cw up")
