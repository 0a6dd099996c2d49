"""`cw config`: every setting, its value, its origin and its meaning; and changes of config.toml."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import json_option
from cw.cli.arguments.settings import (
    complete_change,
    complete_settings,
    read_changes,
    read_names,
)
from cw.cli.context import load_cli
from cw.cli.views.render import Column, json_out, note, say, table
from cw.cli.views.settings import setting_rows, settings_markdown, shown
from cw.sections.setting import Setting
from cw.settings import TABLE, config_path

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COLUMNS = [
    Column("setting"),
    Column("value", gives=True),
    Column("from", gives=True),
    Column("meaning", gives=True),
]
_HELP = ("-h", "--help")


class _ShowsUnlessTold(click.Group):
    """What follows `cw config` is a verb or names of settings; none of them has a verb's name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and ctx.resilient_parsing:  # a shell asks: both could be typed
            return super().parse_args(ctx, args)
        if not args or args[0] not in {*self.commands, *_HELP}:
            args = ["show", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        offers = super().shell_complete(ctx, incomplete)
        show = self.commands["show"]
        return [*offers, *complete_settings(ctx, show.params[0], incomplete)]


@click.group(
    cls=_ShowsUnlessTold, subcommand_metavar="[SETTING...] | set|unset|edit|path|schema [ARGS]..."
)
def command() -> None:
    """Show every setting, those that are named, or a section; or change config.toml.

    A setting is named run.time_limit, as it stands in the file, or CW_RUN_TIME_LIMIT. The variable
    wins over the file ~/.config/cw/config.toml (or CW_CONFIG), which wins over the default.
    """


@command.command("show", short_help="What cw config does without a verb.")
@click.argument("names", metavar="[SETTING...]", nargs=-1, shell_complete=complete_settings)
@json_option
@click.option("--markdown", is_flag=True, help="The page docs/settings.md.")
def show(names: tuple[str, ...], as_json: bool, markdown: bool) -> None:
    """Values, where each came from, and what it means: what cw config does without a verb.

    Secrets are masked.
    """
    if markdown:
        click.echo(settings_markdown(), nl=False)
        return
    wanted = read_names(names) or TABLE
    cli = load_cli(os.environ)
    rows = setting_rows(cli.settings, cli.origin, wanted)
    if as_json:
        json_out(rows)
        return
    cells = [{**row, "setting": f"{row['section']}.{row['key']}"} for row in rows]
    table(_COLUMNS, [[row[column.title] for column in _COLUMNS] for row in cells])


@command.command("set", short_help="Write settings into config.toml.")
@click.argument(
    "words",
    metavar="NAME VALUE...",
    nargs=-1,
    required=True,
    shell_complete=complete_change,
)
@json_option
def set_(words: tuple[str, ...], as_json: bool) -> None:
    """Write a setting into config.toml; NAME=VALUE NAME=VALUE... writes several at once.

    All settings are checked as they will be before anything is written. A list takes several
    values, or one with commas; '' empties it. For VALUE, - reads it from the file or pipe on stdin:
    so a secret is in no list of processes, and the file gets mode 0600. Services read it when they
    start: cw down; cw up -d.
    """
    from cw.cli.configuring import write_changes

    changes = read_changes(words)
    path = write_changes(os.environ, changes)
    if as_json:
        values = {row: shown(row.name, value) for row, value in changes.items()}
        _changed_json(path, values)
        return
    for row, value in changes.items():
        say(f"{row.dotted} = {shown(row.name, value)} in {path}")
    _tell(changes)


@command.command("unset")
@click.argument(
    "names", metavar="SETTING...", nargs=-1, required=True, shell_complete=complete_settings
)
@json_option
def unset(names: tuple[str, ...], as_json: bool) -> None:
    """Take settings, or a whole section, out of config.toml."""
    from cw.cli.configuring import given_there, write_changes

    wanted = read_names(names)
    there = given_there(os.environ, wanted)
    path = write_changes(os.environ, dict.fromkeys(there)) if there else config_path(os.environ)
    if as_json:
        _changed_json(path, dict.fromkeys(there))
        return
    if not there:
        say(f"{path} says nothing of {', '.join(names)}")
        return
    say(f"{', '.join(row.dotted for row in there)} taken out of {path}")
    _tell(there)


@command.command("edit")
def edit() -> None:
    """Open config.toml in $VISUAL or $EDITOR.

    What is opened is a copy. It takes the place of the file when all settings fit, else it is kept
    and named.
    """
    from cw.cli.editing import edit_file

    path = edit_file(os.environ)
    if path is None:
        say("nothing was changed")
        return
    say(f"{path} is changed")
    _tell([])


@command.command("path")
@json_option
def path_(as_json: bool) -> None:
    """Print where config.toml is, or would be."""
    path = config_path(os.environ)
    if as_json:
        json_out({"config": str(path), "exists": path.exists()})
        return
    click.echo(path)


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of config.toml, for an editor."""
    from cw.cli.views.config_schema import config_schema

    click.echo(json.dumps(config_schema(), indent=2))


def _changed_json(path: Path, values: Mapping[Setting, str | None]) -> None:
    from cw.cli.configuring import still_to_know

    rows = [
        {
            "setting": row.name,
            "section": row.section,
            "key": row.key,
            "variable": row.variable,
            "value": value,
        }
        for row, value in values.items()
    ]
    warnings = still_to_know(os.environ, values)
    json_out({"config": str(path), "settings": rows, "warnings": warnings})


def _tell(changes: Iterable[Setting]) -> None:
    """Why what was written may not be seen at once."""
    from cw.cli.configuring import still_to_know

    for text in still_to_know(os.environ, changes):
        note(text)
