"""`cw config`: every setting, its value, its origin and its meaning."""

from __future__ import annotations

import os
import re
from dataclasses import MISSING, Field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import click

from cw.cli.arguments.params import json_option
from cw.cli.context import load_cli
from cw.cli.views.render import Column, json_out, table
from cw.errors import BadInputError
from cw.settings import SECRETS, Settings

_COLUMNS = [
    Column("setting"),
    Column("value", gives=True),
    Column("from", gives=True),
    Column("meaning", gives=True),
]
_MASK = "********"


@click.command()
@click.argument("names", metavar="[SETTING...]", nargs=-1)
@json_option
@click.option("--markdown", is_flag=True, help="The table of docs/settings.md.")
def command(names: tuple[str, ...], as_json: bool, markdown: bool) -> None:
    """Every setting, or those that are named, with its value and where it came from.

    A variable CW_NAME wins over the file ~/.config/cw/config.toml (or CW_CONFIG), which wins over
    the default. Secrets are masked.
    """
    if markdown:
        click.echo(settings_markdown(), nl=False)
        return
    wanted = [_name(one) for one in names]
    cli = load_cli(os.environ)
    rows = [
        {
            "setting": one.name,
            "variable": f"CW_{one.name.upper()}",
            "value": shown(one.name, getattr(cli.settings, one.name)),
            "from": cli.origin[one.name],
            "meaning": one.metadata["doc"],
        }
        for one in fields(Settings)
        if not wanted or one.name in wanted
    ]
    if as_json:
        json_out(rows)
        return
    table(_COLUMNS, [[row[column.title] for column in _COLUMNS] for row in rows])


def _name(typed: str) -> str:
    """As in config.toml, or its variable. Raises BadInputError."""
    name, known = typed.lower().removeprefix("cw_"), [one.name for one in fields(Settings)]
    if name not in known:
        near = get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"Did you mean: {near[0]}" if near else "See: cw config"
        raise BadInputError(f"there is no setting {typed!r}", hint=hint)
    return name


def shown(name: str, value: Any) -> str:
    """A value as it can be shown to anybody."""
    if name in SECRETS and value:
        return _without_password(str(value)) if name == "broker_url" else _MASK
    return plain(value)


def plain(value: Any) -> str:
    """As it can be typed into a variable."""
    if isinstance(value, tuple):
        between = os.pathsep if any(isinstance(one, Path) for one in value) else ","
        return between.join(map(str, value))
    if value is None or isinstance(value, bool):
        return str(int(value)) if value is not None else ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _without_password(url: str) -> str:
    """The address of a broker helps; whatever could be a password in it does not."""
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or parts.username is not None
    except ValueError:
        return _MASK
    if not re.fullmatch(r"rediss?|unix", parts.scheme):
        return _MASK
    where = parts.netloc.rpartition("@")[2]
    netloc = f"{_MASK}@{where}" if secret else where
    query = _MASK if parts.query else ""  # redis-py takes ?password= as well
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def settings_markdown() -> str:
    """The same on every machine."""
    lines = [
        "# Settings",
        "",
        "Made by `python -m cw.cli.docs` from `cw/settings.py`; do not edit.",
        "",
        "A variable wins over the same name in `~/.config/cw/config.toml` (`CW_CONFIG` names",
        "another file), which wins over the default. `cw config` shows what is in force.",
        f"Secrets ({', '.join(f'`{one}`' for one in sorted(SECRETS))}) may also lie in a file",
        "that `CW_<NAME>_FILE` names.",
        "",
        "| in config.toml | variable | default | meaning |",
        "|---|---|---|---|",
    ]
    for one in fields(Settings):
        names = ", ".join(f"`{name}`" for name in (f"CW_{one.name.upper()}", *one.metadata["also"]))
        default = _default(one)
        lines.append(f"| `{one.name}` | {names} | {default} | {one.metadata['doc']} |")
    return "\n".join(lines) + "\n"


def _default(one: Field[Any]) -> str:
    if one.default_factory is MISSING:
        text = plain(one.default)
        return f"`{text}`" if text else ""
    if one.name == "host_name":
        return "the machine's name"
    value = one.default_factory()
    if isinstance(value, Path) and value.is_relative_to(Path.home()):
        return f"`~/{value.relative_to(Path.home())}`"
    return f"`{plain(value)}`"
