"""`cw update`: a newer cw for this machine."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cw import __version__
from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.steering import now_and_then
from cw.cli.views.render import json_out, note, say
from cw.errors import CwError

if TYPE_CHECKING:
    from cw.services.installed import Installed


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be run.")
@click.option("--finish", is_flag=True, hidden=True, help="The part that the new cw does.")
@json_option
@with_cli
def command(cli: Cli, dry_run: bool, finish: bool, as_json: bool) -> None:
    """Get a newer cw the way this one was installed, and give it to everything here.

    Then the templates of this machine's workers are refreshed, and host, beat and Flower are
    restarted. Agents go on meanwhile and the new host takes them over. With pip, the wheel is
    fetched first, and what it depends on has to have the hashes that it names; what was checked is
    said.
    """
    if finish:
        _finish(cli, as_json=as_json)
        return
    from cw.services.installed import commands, find_installed
    from cw.services.verified import can_verify, how_far

    found = find_installed()
    lines = _planned(found)
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
    if can_verify(found):
        _get_verified(found, tell)
    else:
        tell(how_far(found))
        for step in commands(found):
            tell(f"running: {shlex.join(step)}")
            _run(step)
    # This process is the old cw; its files may have changed under it.
    json_flag = ["--json"] if as_json else []
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cw.cli.main", "update", "--finish", *json_flag], check=False
    )
    if done.returncode:
        raise CwError("the new cw could not finish the update", hint="Run again: cw update")


def _planned(found: Installed) -> list[str]:
    from cw.services.installed import commands
    from cw.services.verified import can_verify, fetch, install

    room = Path(tempfile.gettempdir()) / "cw-update"
    steps = [fetch(found, room), install(found, room)] if can_verify(found) else commands(found)
    return [shlex.join(step) for step in steps]


def _get_verified(found: Installed, tell: Callable[[str], None]) -> None:
    from cw.services.verified import fetch, install, write_list

    with tempfile.TemporaryDirectory(prefix="cw-update-") as name:
        room = Path(name)
        tell(f"running: {shlex.join(fetch(found, room))}")
        _run(fetch(found, room), quiet=True)
        fetched = write_list(room)
        tell(fetched.describe())
        if fetched.version == __version__:
            tell(f"cw {__version__} is the newest already")
        tell(f"running: {shlex.join(install(found, room))}")
        _run(install(found, room))


def _run(step: tuple[str, ...], *, quiet: bool = False) -> None:
    """Its words go to standard error: they are for a person. `quiet`: only its last word is told,
    when it fails.
    """
    try:
        done = subprocess.run(
            step,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            stderr=subprocess.PIPE if quiet else None,
            check=False,
        )
    except OSError as error:
        raise CwError(
            f"{step[0]} cannot be started ({error.strerror})", hint=f"Install {step[0]}"
        ) from error
    if done.returncode:
        said = (done.stderr or b"").decode("utf-8", "replace").strip().splitlines()
        why = said[-1].removeprefix("ERROR: ") if said else f"exit status {done.returncode}"
        raise CwError(f"{shlex.join(step)} failed: {why}", hint="Nothing here was changed")


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
    from cw.homes.home import own_templates, templates_dir
    from cw.homes.layout import homes
    from cw.homes.refreshing import refresh_rules

    rows = []
    for home in homes(cli.settings.workers_root):
        try:
            row = refresh_rules(home, templates_dir(), own_templates(cli.environ))
        except CwError as error:
            note(f"warning: worker {home.id}: {error.line()}")
            continue
        rows.append(row.model_dump(mode="json"))
        for name in row.offered:
            note(f"worker {home.id}: changed by hand and kept; the new text is in {name}")
    return rows
