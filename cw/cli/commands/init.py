"""`cw init`: make workers' HOMEs and tell the fleet."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from cw.cli.arguments.params import expand_ids, json_option
from cw.cli.context import Cli, with_cli
from cw.cli.local_host import ask_local
from cw.cli.views.render import json_out, note, say
from cw.errors import BadInputError, BrokerUnavailableError

if TYPE_CHECKING:
    from cw.homes.layout import Home
    from cw.programs.program import AgentProgram

_DASHED = re.compile(r"([0-9]+)-([0-9]+)")  # also a worker's id, but nobody means it


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@json_option
@with_cli
def command(cli: Cli, ids: tuple[str, ...], as_json: bool) -> None:
    """Make workers: each a HOME with its own settings and tokens.

    An ID is up to 32 lower-case letters, digits and dashes; 01..08 makes eight. The tokens are
    taken from this shell: GH_TOKEN (or GITHUB_TOKEN), ANTHROPIC_API_KEY, CLAUDE_CODE_OAUTH_TOKEN,
    ANTHROPIC_BASE_URL. They, .gitconfig and .ssh are copied into the HOME. If one of the HOMEs
    already exists, nothing is made.

    Your own templates are laid over ours: files below ~/.config/cw/template/all/ for every worker,
    below ~/.config/cw/template/ID/ for one, such as all/.claude/CLAUDE.md or 01/.gitconfig. In them
    {{worker}} and {{home}} are filled in. cw refresh brings what you change there later.
    """
    from cw.homes.home import tokens_in

    made = _make(cli, _names(ids))
    tokens = list(tokens_in(cli.environ))
    homes = {home.id: str(home.path) for home in made}
    registered = _register(cli, homes)
    if as_json:
        json_out([_row(cli, name, home, tokens, registered) for name, home in homes.items()])
        return
    for name, home in homes.items():
        say(f"worker {name} lives in {home}")
    if not registered:
        say("No broker answers yet; the host registers them when it starts.")
    say(f"Tokens taken over: {', '.join(tokens) or 'none'}.")
    for line in missing(tokens, cli.program):
        note(f"warning: {line}; set it in .zshenv of the new HOMEs")
    warn_of_commits(cli, made[:1])  # all have the same .gitconfig


def _names(ids: tuple[str, ...]) -> list[str]:
    """Raises BadInputError."""
    for typed in ids:
        if found := _DASHED.fullmatch(typed):
            raise BadInputError(
                f"{typed!r} looks like a range", hint=f"Use {found[1]}..{found[2]} for a range"
            )
    return expand_ids(ids)


def _make(cli: Cli, names: list[str]) -> list[Home]:
    """What can be refused is refused before any is made. Raises BadInputError."""
    from cw.homes.home import check_new, make_home, own_templates, rendered, templates_dir
    from cw.homes.layout import Home

    root, templates, own = cli.settings.workers_root, templates_dir(), own_templates(cli.environ)
    for name in names:
        check_new(root, name)
        rendered(Home(root / name), templates, {}, own)  # refused before anything is made
    _check_fleet(cli, names)
    return [make_home(root, name, cli.environ, templates, own) for name in names]


def warn_of_commits(cli: Cli, homes: list[Home]) -> None:
    """Say what keeps agents from committing there."""
    for answer in ask_local(cli.environ, "commits", *(home.id for home in homes)):
        note(
            f"warning: no commit works in worker {answer['worker']}: {answer['why']}."
            f" {answer['advice']}"
        )


def missing(tokens: list[str], program: AgentProgram) -> list[str]:
    """What an agent will lack, in plain words."""
    found, logins = [], program.logins
    if "GH_TOKEN" not in tokens:
        found.append("GH_TOKEN is missing: no work on GitHub repositories")
    if logins and not any(token in tokens for token in logins):
        found.append(f"{' or '.join(logins)} is missing: {program.name} cannot log in")
    elif len(logins) > 1 and all(token in tokens for token in logins):
        found.append("both an API key and a subscription token: the API key wins")
    return found


def _check_fleet(cli: Cli, names: list[str]) -> None:
    """An id is one worker in the whole fleet: its label and its queue have no second owner."""
    try:
        known = {worker.id: worker.host for worker in cli.store.fleet.workers()}
    except BrokerUnavailableError:
        return
    for name in names:
        if known.get(name, cli.settings.host_name) not in {"", cli.settings.host_name}:
            raise BadInputError(
                f"worker {name} lives on host {known[name]} already",
                hint=f"Choose another id, or take that one out first: cw remove {name}",
            )


def _register(cli: Cli, homes: dict[str, str]) -> bool:
    """Whether the fleet knows the workers now. It is no error if it does not."""
    from cw.fleet_models import Worker
    from cw.machine import machine_id

    now = datetime.now(UTC)
    try:
        for name, home in homes.items():
            worker = Worker(id=name, host=cli.settings.host_name, home=home, registered_at=now)
            cli.store.fleet.register_worker(worker, machine_id(cli.settings.workers_root))
    except BrokerUnavailableError:
        return False
    return True


def _row(cli: Cli, name: str, home: str, tokens: list[str], registered: bool) -> dict[str, Any]:
    return {
        "worker": name,
        "home": home,
        "host": cli.settings.host_name,
        "tokens": tokens,
        "missing": missing(tokens, cli.program),
        "registered": registered,
    }
