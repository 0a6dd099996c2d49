"""Options that were given twice where one counts: click would silently take the last."""

from __future__ import annotations

import click


def refuse_repeated(command: click.Command, parent: click.Context, args: list[str]) -> None:
    """Raises UsageError. What cannot be parsed at all is left to the command itself."""
    if isinstance(command, click.Group):
        return
    context = click.Context(command, info_name=command.name, parent=parent)
    try:
        _, _, order = command.make_parser(context).parse_args(args=list(args))
    except click.UsageError:
        return
    once = [param for param in order if isinstance(param, click.Option) and _counts_once(param)]
    for option in once:
        if once.count(option) > 1:
            name = max(option.opts, key=len)
            raise click.UsageError(f"{name} was given more than once", context)


def _counts_once(option: click.Option) -> bool:
    return not (option.multiple or option.is_flag or option.count)
