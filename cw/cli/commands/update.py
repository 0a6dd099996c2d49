"""`cw update`: a newer cw for this machine."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import Any

import click

from cw import __version__
from cw.cli.context import Cli, with_cli
from cw.cli.params import json_option
from cw.cli.render import json_out, note, say
from cw.cli.steering import now_and_then
from cw.errors import CwError


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be run.")
@click.option("--finish", is_flag=True, hidden=True, help="The part that the new cw does.")
@json_option
@with_cli
def command(cli: Cli, dry_run: bool, finish: bool, as_json: bool) -> None:
    """Get a newer cw the way this one was installed, and give it to everything here.

    Then the templates of this machine's workers are refreshed, and host, beat and Flower are
    restarted. Agents go on meanwhile and the new host takes them over.
    """
    if finish:
        _finish(cli, as_json=as_json)
        return
    from cw.services.installed import commands, find_installed

    found = find_installed()
    steps = commands(found)
    lines = [shlex.join(one) for one in steps]
    tell = note if as_json else say
    if dry_run:
        if as_json:
            json_out({"version": __version__, "installed": found.describe(), "commands": lines})
            return
        say(f"cw {__version__} was installed {found.describe()}. Would run:")
        for line in lines:
            click.echo(f"  {line}")
        return
    tell(f"cw {__version__} was installed {found.describe()}")
    for step in steps:
        tell(f"running: {shlex.join(step)}")
        _run(step)
    # This process is the old cw; its files may have changed under it.
    json_flag = ["--json"] if as_json else []
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cw.cli.main", "update", "--finish", *json_flag], check=False
    )
    if done.returncode:
        raise CwError("the new cw could not finish the update", hint="Run again: cw update")


def _run(step: tuple[str, ...]) -> None:
    """Its words go to standard error: they are for a person."""
    try:
        done = subprocess.run(
            step, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), check=False
        )
    except OSError as error:
        raise CwError(
            f"{step[0]} cannot be started ({error.strerror})", hint=f"Install {step[0]}"
        ) from error
    if done.returncode:
        raise CwError(
            f"{shlex.join(step)} failed (exit status {done.returncode})",
            hint="Nothing here was restarted",
        )


def _finish(cli: Cli, *, as_json: bool) -> None:
    from cw.services.restarting import restart_services

    refreshed = _refresh(cli)
    restarted = restart_services(
        cli.settings, tell=now_and_then(lambda: "the services to come back")
    )
    if as_json:
        result: dict[str, Any] = {"version": __version__, "restarted": restarted}
        json_out({**result, "refreshed": refreshed})
        return
    say(f"cw {__version__} is here; {len(refreshed)} workers refreshed")
    said = f"restarted: {', '.join(restarted)}" if restarted else "cw up does not run here"
    say(f"{said}; agents were left running")


def _refresh(cli: Cli) -> list[dict[str, Any]]:
    """Templates only: an update is no reason to change a login."""
    from workerhost.homes.home import templates_dir
    from workerhost.homes.layout import homes
    from workerhost.homes.refreshing import refresh_rules

    rows = []
    for home in homes(cli.settings.workers_root):
        try:
            row = refresh_rules(home, templates_dir())
        except CwError as error:
            note(f"warning: worker {home.id}: {error.line()}")
            continue
        rows.append(row.model_dump(mode="json"))
        for name in row.offered:
            note(f"worker {home.id}: changed by hand and kept; the new text is in {name}")
    return rows
