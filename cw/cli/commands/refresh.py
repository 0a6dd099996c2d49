"""`cw refresh`: templates and credentials again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cw.cli.arguments.completion import complete_workers
from cw.cli.arguments.params import expand_ids, json_option
from cw.cli.commands.init import warn_of_commits
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import json_out, note, say
from cw.errors import BadInputError, BrokerUnavailableError, CwError, UnavailableError

if TYPE_CHECKING:
    from cw.homes.layout import Home
    from cw.homes.refreshing import Refreshed


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1, shell_complete=complete_workers)
@click.option("--all", "everyone", is_flag=True, help="Every worker of the fleet.")
@click.option("--git", "with_git", is_flag=True, help="Copy .gitconfig and .ssh again as well.")
@json_option
@with_cli
def command(cli: Cli, ids: tuple[str, ...], everyone: bool, with_git: bool, as_json: bool) -> None:
    """Give workers the templates and this shell's tokens again.

    CLAUDE.md, settings.json and what your own templates have (see cw init) are written again unless
    they were changed by hand; then they stay, and a new template is put beside them as FILE.new.
    Tokens that this shell has replace those in .zshenv; every other line stays. Workers of other
    hosts get templates only: tokens never leave this machine. Busy workers too: it counts from
    their next run on.
    """
    if everyone == bool(ids):
        raise BadInputError("say which workers", hint="Give ids, or --all")
    workers = _everyone(cli) if everyone else expand_ids(ids)
    here = {worker: _local(cli, worker) for worker in workers}
    rows: list[Refreshed] = []
    failed: list[CwError] = []
    for worker, home in here.items():
        try:
            row = _refresh(cli, home, with_git=with_git) if home else _ask(cli, worker)
        except CwError as error:
            if len(workers) == 1:
                raise
            failed.append(error)
            note(f"worker {worker}: {error.line()}")
            continue
        rows.append(row)
        if not as_json:
            _tell(row, elsewhere=home is None)
    if as_json:
        json_out([row.model_dump(mode="json") for row in rows])
    warn_of_commits(cli, [home for home in here.values() if home])
    if failed:
        kind = UnavailableError if isinstance(failed[0], UnavailableError) else BadInputError
        raise kind(f"{len(failed)} of {len(workers)} workers were not refreshed")


def _everyone(cli: Cli) -> list[str]:
    """Those of the fleet and those on this disk."""
    from cw.homes.layout import homes

    found = {home.id for home in homes(cli.settings.workers_root)}
    try:
        found |= {worker.id for worker in cli.store.fleet.workers()}
    except BrokerUnavailableError as error:
        note(f"warning: {error.message}; these are the workers of this machine")
    if not found:
        raise BadInputError("there are no workers yet", hint="Make one with: cw init 01")
    return sorted(found)


def _local(cli: Cli, worker: str) -> Home | None:
    """Its HOME, if that is on this machine: then no broker is needed."""
    from cw.homes.layout import homes

    return next((home for home in homes(cli.settings.workers_root) if home.id == worker), None)


def _refresh(cli: Cli, home: Home, *, with_git: bool) -> Refreshed:
    from cw.homes.home import own_templates, rules, templates_dir, tokens_in
    from cw.homes.refreshing import refresh_git, refresh_rules, refresh_tokens

    templates, own = templates_dir(), own_templates(cli.environ)
    done = refresh_rules(home, templates, own)
    update: dict[str, Any] = {
        "tokens": refresh_tokens(home, templates, tokens_in(cli.environ)),
        "copied": with_git,
    }
    if with_git:
        user_home = Path(cli.environ.get("HOME", "~")).expanduser()
        refresh_git(home, user_home, rules(home, templates, own))
    return done.model_copy(update=update)


def _ask(cli: Cli, worker: str) -> Refreshed:
    from cw.homes.refreshing import Refreshed
    from cw.operations.fleet.ask import ask

    return Refreshed.model_validate(ask(cli.store, cli.control.send, "refresh", worker))


def _tell(row: Refreshed, *, elsewhere: bool) -> None:
    parts = [f"written again: {', '.join(row.updated)}"] if row.updated else []
    parts += [f"tokens set: {', '.join(row.tokens)}"] if row.tokens else []
    parts += ["git and ssh files copied"] if row.copied else []
    parts += [f"changed by hand and kept: {', '.join(row.kept)}"] if row.kept else []
    parts += [f"see the new text in {', '.join(row.offered)}"] if row.offered else []
    parts += [f"made by hand and kept: {', '.join(row.added)}"] if row.added else []
    where = " (templates only: it lives on another host)" if elsewhere else ""
    say(f"worker {row.worker}{where}: {'; '.join(parts) or 'up to date'}")
