"""How settings look: in a terminal, to programs, and in docs/settings.md."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from cw.sections.setting import SECTIONS, Setting
from cw.settings import SECRETS, TABLE, Settings

_MASK = "********"
_PAGE = """# Settings

Made by `python -m cw.cli.docs` from `cw/sections/`; do not edit.

A variable wins over `~/.config/cw/config.toml` (`CW_CONFIG` names another file), which wins over
the default. `cw config` shows what is in force, `cw config set run.time_limit 3600` changes the
file, `cw config edit` opens it. Names of before there were sections (`run_time_limit = 3600`) are
still read there, with a word about it.

What runs reads its settings when it starts. After a change: `cw down; cw up -d`, or
`systemctl restart cw-host cw-beat cw-flower`, or `docker compose restart`.

Secrets ({secrets}) may also lie in a file that `CW_<NAME>_FILE` names.

What an editor needs to know of the file: `cw config schema > ~/.config/cw/config.schema.json`, and
`#:schema ./config.schema.json` as its first line.
"""


def setting_rows(
    settings: Settings, origin: Mapping[str, str], wanted: Iterable[Setting]
) -> list[dict[str, str]]:
    return [
        {
            "setting": row.name,
            "section": row.section,
            "key": row.key,
            "variable": row.variable,
            "value": shown(row.name, getattr(settings, row.name)),
            "from": origin[row.name],
            "meaning": row.doc,
        }
        for row in wanted
    ]


def shown(name: str, value: Any) -> str:
    """A value as it can be shown to anybody."""
    if name in SECRETS and value:
        return _without_password(str(value)) if name == "broker_url" else _MASK
    return plain(value)


def plain(value: Any) -> str:
    """As it can be typed into a variable."""
    if isinstance(value, (tuple, list)):
        between = os.pathsep if any(isinstance(part, Path) for part in value) else ","
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
    secrets = ", ".join(f"`{row.dotted}`" for row in TABLE if row.name in SECRETS)
    parts = [_PAGE.format(secrets=secrets)]
    for section, rows in groupby(TABLE, key=lambda row: row.section):
        parts += [
            f"## [{section}]",
            "",
            f"{SECTIONS[section]}.",
            "",
            "| key | variable | default | meaning |",
            "|---|---|---|---|",
            *map(_line, rows),
            "",
        ]
    return "\n".join(parts).rstrip("\n") + "\n"


def _line(row: Setting) -> str:
    names = ", ".join(f"`{name}`" for name in (row.variable, *row.also))
    return f"| `{row.key}` | {names} | {_default(row)} | {row.doc} |"


def _default(row: Setting) -> str:
    if row.field.default_factory is MISSING:
        text = plain(row.default)
        return f"`{text}`" if text else ""
    if row.name == "host_name":
        return "the machine's name"
    return f"`~/{row.default.relative_to(Path.home())}`"
