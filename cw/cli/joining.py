"""What `cw host join` checks and writes, and what `cw host leave` takes back."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cw.cli.arguments.invitation import WRITTEN, Invitation
from cw.cli.configfile import Changes, alone, changed, hiding, replacing, without
from cw.cli.context import Cli
from cw.errors import BadInputError
from cw.fleet_models import Host
from cw.keyring import Keyring, key_file, load_keyring, read_keyring
from cw.models import Model
from cw.sections.setting import in_toml, named
from cw.settings import TABLE, Settings, config_path, load_settings, read_value

if TYPE_CHECKING:
    from cw.operations.fleet.hosts import Forgotten
    from cw.store.store import Store

_URLS = ("CW_BROKER_URL", "CW_BROKER_URL_FILE")


class Joined(Model):
    host: str
    broker: str  # where it is, without user and password
    config: str
    hosts: list[str]  # that were there before
    warnings: list[str]


def join_fleet(cli: Cli, invitation: Invitation) -> Joined:
    """Check first, write afterwards. Raises CwError, and then has written nothing."""
    set_already = [variable for variable in _URLS if cli.environ.get(variable)]
    if set_already:
        raise BadInputError(
            f"{set_already[0]} is set and would win over config.toml", hint="Unset it first"
        )
    path, changes = config_path(cli.environ), _changes(invitation, cli.settings)
    wanted = load_settings(without(cli.environ, changes), changed(path, changes))[0]
    keyring = _keyring(wanted, invitation)
    hosts, warnings = _look(wanted, keyring, invitation.key_from or str(key_file(wanted)))
    # Both can be written before either is; config.toml goes first.
    with alone(path), ExitStack() as ready:
        if invitation.key:
            ready.enter_context(replacing(key_file(wanted), f"{invitation.key}\n"))
        ready.enter_context(replacing(path, changed(path, changes)))
    warnings += [
        f"{variable} is set and wins over config.toml"
        for variable in hiding(cli.environ, named(WRITTEN, TABLE))
    ]
    return Joined(
        host=wanted.host_name,
        broker=urlsplit(wanted.broker_url).netloc.rpartition("@")[2],
        config=str(path),
        hosts=[host.name for host in hosts if host.name != wanted.host_name],
        warnings=warnings,
    )


def leave_fleet(cli: Cli) -> Forgotten:
    """Raises CwError, and then this machine is where it was."""
    from cw.operations.fleet.hosts import Forgotten, forget_host

    name, source = cli.settings.host_name, cli.origin["broker_url"]
    if source in _URLS:
        raise BadInputError(
            f"{source} puts this machine into its fleet, and cw cannot unset that",
            hint=f"Remove it where it is set, then from another machine: cw host forget {name}",
        )
    if source == "default":
        raise BadInputError("this machine has joined no fleet", hint="cw down stops what runs here")
    path = config_path(cli.environ)
    without_fleet = dict.fromkeys(named(WRITTEN, TABLE))
    with alone(path), replacing(path, changed(path, without_fleet)):
        if name not in {host.name for host in cli.store.fleet.hosts()}:  # its host never started
            return Forgotten(host=name, workers=[])
        return forget_host(cli.store, name)


def _changes(invitation: Invitation, settings: Settings) -> Changes:
    """Raises BadInputError for what does not fit."""
    given = invitation.values(settings.state_dir)
    texts = zip(named(given, TABLE), given.values(), strict=True)
    return {
        row: None if text is None else in_toml(read_value(row, text, "what was typed"))
        for row, text in texts
    }


def _keyring(settings: Settings, invitation: Invitation) -> Keyring | None:
    """What this machine would sign with. None: it has no key, and would make one. Raises
    BadInputError.
    """
    if invitation.key:
        return read_keyring(invitation.key, invitation.key_from)
    if settings.signing_key_file or key_file(settings).exists():
        return load_keyring(settings)
    return None


def _look(
    settings: Settings, keyring: Keyring | None, key_from: str
) -> tuple[list[Host], list[str]]:
    """The hosts that are known there, and what could lose work. Raises CwError."""
    from cw.broker.address import broker_url
    from cw.machine import known_id
    from cw.store.store import open_store

    store = open_store(broker_url(settings), keyring)
    try:
        store.ping()
        _refuse_dispatcher(store, settings.broker_url)
        hosts, mine = store.fleet.hosts(), known_id(settings.workers_root)
        others = [
            host
            for host in hosts
            if host.name != settings.host_name and not (mine and host.machine == mine)
        ]
        _refuse_taken(store, hosts, settings.host_name, mine)
        warnings = store.server_warnings()
        if keyring:
            warnings += _compare(store, keyring, key_from, others, settings.host_name)
        else:
            warnings.append(
                "no signing key was given, so this machine makes its own and refuses the fleet's"
                " tasks; hand it over with --key"
            )
        return hosts, warnings
    finally:
        store.connection.close()


def _refuse_dispatcher(store: Store, url: str) -> None:
    if not store.may_consume():
        raise BadInputError(
            f"the broker's user {urlsplit(url).username or 'default'} may not take work",
            hint="Use the URL with the user host; a machine that only dispatches does not join, it"
            " has CW_BROKER_URL",
        )


def _refuse_taken(store: Store, hosts: list[Host], name: str, mine: str) -> None:
    now = store.tasks.now()
    for host in hosts:
        if host.name == name and host.up(now) and host.machine not in {"", mine}:
            raise BadInputError(
                f"another machine that is up has the name {name}",
                hint="Give this one another: --name NAME",
            )


def _compare(
    store: Store, keyring: Keyring, key_from: str, others: list[Host], me: str
) -> list[str]:
    from cw.operations.fleet.signing_key import key_fits

    fits = key_fits(store, [host.name for host in others], me)
    if fits is False:
        raise BadInputError(
            f"the signing key {key_from} does not fit what this fleet has signed",
            hint="Hand over that of the first machine: --key FILE; cw doctor shows a key's mark,"
            f" and this one's is {keyring.id}",
        )
    if fits is None and others:
        text = (
            f"nothing at the broker is signed yet that the signing key {key_from} could be compared"
            f" with; see that cw doctor shows the mark {keyring.id} on all machines"
        )
        return [text]
    return []
