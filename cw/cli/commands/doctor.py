"""`cw doctor`: is everything here that agents need?"""

from __future__ import annotations

from dataclasses import asdict

import click

from cw.cli.context import Cli, with_cli
from cw.cli.params import json_option
from cw.cli.render import STATE_STYLES, json_out, one_line


@click.command()
@json_option
@click.pass_context
@with_cli
def command(cli: Cli, ctx: click.Context, as_json: bool) -> None:
    """Check this machine and say how to get what is missing.

    Exit status 1 when something is missing that agents need; warnings alone are 0. Of tokens only
    the names are shown.
    """
    from cw.cli.check import Check
    from cw.cli.checks import all_checks

    checks: list[Check] = []
    for one in all_checks(cli):
        checks.append(one)
        if not as_json:
            _tell(one.state, one.name, one.text, one.fix)
    failed = sum(one.state == "fail" for one in checks)
    warned = sum(one.state == "warn" for one in checks)
    if as_json:
        json_out({"ok": not failed, "checks": [asdict(one) for one in checks]})
    else:
        click.echo(f"{failed} failed, {warned} warnings, {len(checks) - failed - warned} fine")
    ctx.exit(1 if failed else 0)


def _tell(state: str, name: str, text: str, fix: str) -> None:
    word = click.style(f"{state:<4}", fg=STATE_STYLES[state])
    click.echo(f"{word}  {name}: {one_line(text)}")
    if fix:
        click.echo(f"      → {one_line(fix)}")
