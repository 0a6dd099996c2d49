"""`cw seen`: failures and questions that need no place in `cw status` any more."""

from __future__ import annotations

import click

from cw.cli.arguments.completion import complete_ids
from cw.cli.arguments.params import json_option, read_targets
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import json_out, say
from cw.errors import BadInputError


@click.command()
@click.argument("ids", metavar="ID|TASK...", nargs=-1, shell_complete=complete_ids)
@click.option("--all", "everything", is_flag=True, help="All that cw status shows.")
@json_option
@with_cli
def command(cli: Cli, ids: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Take failed tasks and questions off `cw status`.

    Of a worker, those that it had. Nothing else is changed: labels, comments, clones and history
    stay. A new dispatch of the issue does the same, and so does a day.
    """
    from cw.operations.fleet.references import resolve
    from cw.operations.views.unseen import recent, unseen

    if everything == bool(ids):
        raise BadInputError("say what was seen", hint="Give ids of tasks or workers, or --all")
    typed = read_targets(ids)
    targets = [resolve(cli.store, target) for target in typed]
    rows = unseen(recent(cli.store, cli.store.tasks.now()), cli.store.tasks.open_tasks())
    for word, target in zip(typed, targets, strict=True):
        if not any(target.task == row.about.task or target.worker == row.worker for row in rows):
            raise BadInputError(f"nothing of {word} waits to be seen", hint="See: cw status")
    wanted = {name for target in targets for name in (target.task, target.worker) if name}
    marked = [row for row in rows if everything or wanted & {row.about.task, row.worker}]
    for row in marked:
        cli.store.tasks.mark_seen(row.about.task)
        if not as_json:
            stays = cli.short(f"it stays in cw show {row.about.task}")
            say(f"{row.about.label} is off cw status; {stays}")
    if as_json:
        json_out([row.model_dump(mode="json") for row in marked])
    elif not marked:
        say("Nothing waits to be seen")
