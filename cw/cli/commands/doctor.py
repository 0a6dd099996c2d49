"""`cw doctor`: is everything here that agents need?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import STATE_STYLES, json_out, one_line
from cw.errors import BadInputError

if TYPE_CHECKING:
    from cw.check import Check

_ANY = "worker ID"
_ODD = frozenset("/\\ \t\n\0")


@click.command()
@click.argument("programs", metavar="[PROGRAM...]", nargs=-1)
@json_option
@click.pass_context
@with_cli
def command(cli: Cli, ctx: click.Context, programs: tuple[str, ...], as_json: bool) -> None:
    """Check this machine and say how to get what is missing.

    git, gh and python3 are looked for where agents are, behind the wall, and so is each PROGRAM,
    such as node or make. Each login is tried once, by a call that costs nothing.

    Exit status 1 when something is missing that agents need; warnings, and what is to be done
    next, are 0. Of tokens only the names are shown. What is the same for many workers is said once.
    """
    from cw.cli.doctor.checks import all_checks

    for program in programs:
        if not program or program.startswith("-") or _ODD & set(program):
            raise BadInputError(
                f"{program!r} is no program's name", hint="For example: cw doctor node"
            )
    checks: list[Check] = []
    for told in _told_at_once(all_checks(cli, programs)):
        checks += told
        if not as_json:
            for row in _folded(told):
                _tell(row)
    count = {word: sum(check.state == word for check in checks) for word in STATE_STYLES}
    if as_json:
        json_out({"ok": not count["fail"], "checks": [asdict(check) for check in checks]})
    else:
        nexts = f", {count['next']} to do next" if count["next"] else ""
        click.echo(f"{count['fail']} failed, {count['warn']} warnings, {count['ok']} fine{nexts}")
    ctx.exit(1 if count["fail"] else 0)


def _told_at_once(checks: Iterable[Check]) -> Iterator[list[Check]]:
    """One by one, as each may take seconds; the workers' together."""
    for of_workers, found in groupby(checks, key=lambda check: bool(check.worker)):
        if of_workers:
            yield list(found)
        else:
            yield from ([check] for check in found)


def _folded(checks: list[Check]) -> Iterator[Check]:
    """Those that differ only in the worker are one, which names them all."""
    from dataclasses import replace

    from cw.cli.views.spans import spans

    groups: dict[tuple[str, ...], list[Check]] = {}
    for check in checks:
        groups.setdefault(_without_worker(check), []).append(check)
    for (_, name, text, fix), same in groups.items():
        if len(same) == 1:
            yield same[0]
        else:
            who = f"workers {' '.join(spans([check.worker for check in same]))}"
            yield replace(same[0], name=name.replace(_ANY, who, 1), text=text, fix=fix)


def _without_worker(check: Check) -> tuple[str, ...]:
    if not check.worker:
        return check.state, check.name, check.text, check.fix
    name = check.name.replace(f"worker {check.worker}", _ANY, 1)
    folder = re.compile(rf"/{re.escape(check.worker)}(?![\w.-])")
    return check.state, name, folder.sub("/ID", check.text), folder.sub("/ID", check.fix)


def _tell(check: Check) -> None:
    word = click.style(f"{check.state:<4}", fg=STATE_STYLES[check.state])
    click.echo(f"{word}  {check.name}: {one_line(check.text)}")
    if check.fix:
        click.echo(f"      → {one_line(check.fix)}")
