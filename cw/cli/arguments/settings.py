"""Settings as people type them: run.time_limit, run_time_limit or CW_RUN_TIME_LIMIT."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.completion import fitting
from cw.errors import BadInputError
from cw.sections.setting import SECTIONS, Setting, in_toml, nearest
from cw.settings import TABLE, holds_secret, read_value

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_LONGEST = 64 * 1024
_STDIN = "-"


def read_name(typed: str) -> Setting:
    """Raises BadInputError."""
    name = typed.lower()
    for row in TABLE:
        if name in {row.dotted, row.name, row.variable.lower()}:
            return row
    near = nearest(name.removeprefix("cw_"), TABLE)
    hint = f"Did you mean: {near.dotted}" if near else "See: cw config"
    raise BadInputError(f"there is no setting {typed!r}", hint=hint)


def read_names(words: Iterable[str]) -> list[Setting]:
    """Of settings and of whole sections, each once. Raises BadInputError."""
    found: list[Setting] = []
    for word in words:
        section = word.lower().strip("[]")
        inner = [row for row in TABLE if row.section == section]
        found += inner or [read_name(word)]
    return list(dict.fromkeys(found))


def read_changes(words: Sequence[str]) -> dict[Setting, object]:
    """`NAME VALUE...`, or `NAME=VALUE` as often as wanted: settings that go together are set
    together. Raises BadInputError.
    """
    if "=" not in words[0]:
        return _change(words[0], words[1:])
    found: dict[Setting, object] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise BadInputError(f"{word!r} is not NAME=VALUE", hint="See: cw config set --help")
        change = _change(name, [value])
        if not found.keys().isdisjoint(change):
            raise BadInputError(f"{read_name(name).dotted} was given twice", hint="Give it once")
        found |= change
    return found


def _change(name: str, given: Sequence[str]) -> dict[Setting, object]:
    row = read_name(name)
    if not given:
        hint = f"To take it out of config.toml: cw config unset {row.dotted}"
        raise BadInputError(f"{row.dotted} needs a value", hint=hint)
    if len(given) > 1 and not row.many:
        raise BadInputError(f"{row.dotted} has one value", hint=row.doc)
    if list(given) == [_STDIN]:
        raw = _from_stdin(row)
    elif holds_secret({row.name: "\n".join(given)}):
        raise BadInputError(
            f"{row.dotted} is a secret, which everybody here can read in the list of processes",
            hint=f"Hand it over in a file: cw config set {row.dotted} - < FILE",
        )
    else:
        raw = "\n".join(given)
    return {row: in_toml(read_value(row, raw, row.dotted))}


def _from_stdin(row: Setting) -> str:
    try:
        text = sys.stdin.buffer.read(_LONGEST).decode().strip() if sys.stdin else ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError("stdin cannot be read as text") from error
    if not text:
        raise BadInputError(f"stdin has nothing for {row.dotted}")
    return text


def complete_settings(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """By the form that is being typed."""
    offers = {row.dotted: row.doc for row in TABLE}
    if "." not in incomplete:
        offers |= {name: f"all of [{name}]" for name in SECTIONS}
    if not any(name.startswith(incomplete.lower()) for name in offers):
        offers = {row.name: row.doc for row in TABLE} | {row.variable: row.doc for row in TABLE}
    return fitting(offers, incomplete)


def complete_change(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """A name, then what it can be."""
    typed = ctx.params.get(str(param.name)) or ()
    if not typed:
        offers = {row.dotted: row.doc for row in TABLE}
        return fitting(offers, incomplete) or complete_settings(ctx, param, incomplete)
    try:
        row = read_name(typed[0])
    except BadInputError:
        return []
    words = row.words or (("true", "false") if isinstance(row.default, bool) else ())
    return fitting(dict.fromkeys(words, ""), incomplete)
