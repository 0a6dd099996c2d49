"""Options and arguments that several commands take, checked as they are read."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from cw.budgets.ceilings import MINUTE, Amount
from cw.cli.arguments.completion import complete_ids
from cw.cli.views.render import note
from cw.errors import BadInputError
from cw.names import worker_id
from cw.operations.fleet.references import Target, read_target

Command = Callable[..., Any]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")

_RANGE = re.compile(r"([0-9]{1,6})\.\.([0-9]{1,6})")
_AGO = re.compile(r"([0-9]{1,5})([mhdw])")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_OLD = "old_follow"
_MOST = 200  # workers made by one range


def checked(read: Callable[[str], Any]) -> Callable[..., Any]:
    """A click callback that reads a value by one of our own rules."""

    def callback(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Any:
        return None if value is None else read(value)

    return callback


def by_option(*words: str) -> Callable[[Command], Command]:
    """What the lines of a sum are; the first word where nothing was typed."""
    kinds = click.Choice(words)
    return click.option(
        "--by", type=kinds, default=words[0], show_default=True, help="One line for each."
    )


def since_option(what: str) -> Callable[[Command], Command]:
    """`what` ended since then."""
    form = "2d, 12h, 30m or 1w ago, or a date such as 2026-11-01."
    return click.option(
        "--since",
        metavar="TIME",
        callback=checked(read_since),
        help=f"Only {what} ended since then: {form}",
    )


local_option = click.option(
    "--local", is_flag=True, help="Read the archives of this machine's HOMEs only."
)


def follow_option(until: str) -> Callable[[Command], Command]:
    """`-F`, as `tail -F`: `-f` is --force wherever it stands. For one more version `-f` is read
    here as well, with a word about it.
    """
    old = click.option(
        "-f",
        _OLD,
        is_flag=True,
        hidden=True,
        is_eager=True,
        expose_value=False,
        callback=_note_old,
        help="As -F, for one more version.",
    )
    new = click.option(
        "-F",
        "--follow",
        is_flag=True,
        help=f"Go on until {until}.",
        callback=lambda context, _, given: given or context.meta.get(_OLD, False),
    )
    return lambda command: new(old(command))


def budget_options(command: Command) -> Command:
    """What the task's runs may take together, as `ceiling`: Amount, 0 where nothing was typed."""

    @click.option(
        "--max-minutes",
        type=click.FloatRange(min=0, min_open=True),
        help="Minutes that its runs may take together.",
        metavar="N",
    )
    @click.option(
        "--max-turns",
        type=click.IntRange(min=1),
        help="Turns that its runs may take together.",
        metavar="N",
    )
    @click.option(
        "--max-usd",
        type=click.FloatRange(min=0, min_open=True),
        help="Dollars that its runs may cost together.",
        metavar="N",
    )
    @functools.wraps(command)
    def with_ceiling(
        *args: Any,
        max_usd: float | None,
        max_turns: int | None,
        max_minutes: float | None,
        **more: Any,
    ) -> Any:
        given = Amount(max_usd or 0.0, max_turns or 0, (max_minutes or 0.0) * MINUTE)
        return command(*args, ceiling=given, **more)

    return with_ceiling


def _note_old(context: click.Context, _param: click.Parameter, given: bool) -> None:
    if given and not context.resilient_parsing:
        context.meta[_OLD] = True
        note("-f means --force in cw, and will not follow any more from the next version: use -F")


def expand_ids(texts: tuple[str, ...]) -> list[str]:
    """Worker ids, with ranges such as 01..08 written out. Raises BadInputError."""
    found = [worker_id(word) for text in texts for word in _expand(text)]
    _once(found)
    return list(found)


def _once(ids: Sequence[str]) -> None:
    twice = sorted({worker for worker in ids if ids.count(worker) > 1})
    if twice:
        raise BadInputError(f"{', '.join(twice)} given twice", hint="Give each id once")


def _expand(text: str) -> list[str]:
    match = _RANGE.fullmatch(text)
    if not match:
        return [text]
    first, last, width = int(match[1]), int(match[2]), len(match[1])
    if last < first or last - first >= _MOST or len(match[2]) < width:
        raise BadInputError(
            f"{text!r} is not a range", hint=f"Use for example 01..08, of at most {_MOST} ids"
        )
    return [f"{number:0{width}}" for number in range(first, last + 1)]


def read_targets(texts: tuple[str, ...]) -> list[Target]:
    """What several ids name, ranges of workers too, each once. Raises BadInputError."""
    found = [read_target(word) for text in texts for word in _expand(text)]
    workers = [target.worker for target in found if target.worker]
    _once(workers)
    return list(dict.fromkeys(found))


def read_since(text: str) -> datetime:
    """A moment as typed: 2d, 12h, 30m, 1w ago, or a local date or time. Raises BadInputError."""
    match = _AGO.fullmatch(text.strip())
    try:
        if match:
            return datetime.now(UTC) - int(match[1]) * _UNITS[match[2]]
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise BadInputError(
            f"{text!r} is no time", hint="Use for example 2d, 12h, 2026-11-01 or 2026-11-01T09:30"
        ) from None


id_argument = click.argument(
    "target", metavar="ID", callback=checked(read_target), shell_complete=complete_ids
)
maybe_id_argument = click.argument(
    "target",
    metavar="[ID]",
    required=False,
    callback=checked(read_target),
    shell_complete=complete_ids,
)
