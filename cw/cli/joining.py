"""What `cw host join` checks and writes."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from cw.cli.configfile import set_values
from cw.cli.context import Cli
from cw.errors import BadInputError, CwError
from cw.models import Model
from cw.settings import Settings, config_path, load_settings

WRITTEN = ("broker_url", "host_name", "host_tags", "broker_ca", "signing_key_file")
_LONGEST_KEY = 64 * 1024
_HELP = "See: cw host join --help"


class Joined(Model):
    host: str
    broker: str  # where it is, without user and password
    config: str
    hosts: list[str]  # that were there before
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a person was given. `key`: text of the signing key; empty: this machine has it."""

    url: str
    name: str | None
    tags: str | None
    ca: Path | None
    key: str

    @classmethod
    def read(
        cls,
        url: str,
        *,
        name: str | None,
        tags: str | None,
        ca: str | None,
        key: str | None,
    ) -> Invitation:
        """Raises BadInputError for files that cannot be read."""
        if url == key == "-":
            raise BadInputError("stdin cannot be both the URL and the key", hint="Use a file")
        address = _text("-") if url == "-" else url
        return cls(
            url=address.replace("redis+tls://", "rediss://", 1),
            name=name,
            tags=tags,
            ca=_existing(ca) if ca else None,
            key=_text(key) if key else "",
        )

    def values(self, state_dir: Path) -> dict[str, str | None]:
        """What config.toml will say. What was not given is left to the defaults."""
        found: dict[str, str | None] = dict.fromkeys(WRITTEN)
        found["broker_url"] = self.url
        found["host_name"] = self.name
        found["host_tags"] = self.tags
        found["broker_ca"] = str(self.ca) if self.ca else None
        if self.key:
            found["signing_key_file"] = str(state_dir / "fleet.key")
        return found


def join_fleet(cli: Cli, invitation: Invitation) -> Joined:
    """Check first, write afterwards. Raises CwError, and then has written nothing."""
    set_already = [one for one in ("CW_BROKER_URL", "CW_BROKER_URL_FILE") if cli.environ.get(one)]
    if set_already:
        raise BadInputError(
            f"{set_already[0]} is set and would win over config.toml", hint="Unset it first"
        )
    wanted = _settings(cli, invitation)
    hosts, warnings = _check(wanted)
    path = config_path(cli.environ)
    key_file = wanted.signing_key_file
    if invitation.key and key_file:
        _write_key(wanted, key_file, f"{invitation.key}\n")
    elif not wanted.signing_key_file and not (wanted.state_dir / "signing.key").exists():
        warnings.append(
            "no signing key was given, so this machine makes its own and refuses the fleet's tasks;"
            " hand it over with --key"
        )
    warnings += [
        f"CW_{name.upper()} is set and wins over config.toml"
        for name in WRITTEN
        if cli.environ.get(f"CW_{name.upper()}")
    ]
    set_values(path, invitation.values(cli.settings.state_dir))
    return Joined(
        host=wanted.host_name,
        broker=urlsplit(wanted.broker_url).netloc.rpartition("@")[2],
        config=str(path),
        hosts=[one for one in hosts if one != wanted.host_name],
        warnings=warnings,
    )


def _settings(cli: Cli, invitation: Invitation) -> Settings:
    """As they will be read from the file, checked by the same rules. Raises BadInputError."""
    values = invitation.values(cli.settings.state_dir)
    environ = dict(cli.environ) | {
        f"CW_{key.upper()}": text for key, text in values.items() if text
    }
    return replace(load_settings(environ)[0], broker_insecure=cli.settings.broker_insecure)


def _check(settings: Settings) -> tuple[list[str], list[str]]:
    """Hosts that are known there, and what of the broker could lose work. Raises CwError."""
    from cw.address import broker_url
    from cw.store.store import open_store
    from workerhost.machine import machine_id

    store = open_store(broker_url(settings))
    try:
        store.ping()
        hosts, now = store.fleet.hosts(), store.tasks.now()
        warnings = store.server_warnings()
    finally:
        store.connection.close()
    mine = machine_id(settings.workers_root)
    for one in hosts:
        if one.name == settings.host_name and one.up(now) and one.machine not in {"", mine}:
            raise BadInputError(
                f"another machine that is up has the name {one.name}",
                hint="Give this one another: --name NAME",
            )
    return [one.name for one in hosts], warnings


def _write_key(settings: Settings, path: Path, text: str) -> None:
    """Raises BadInputError, and leaves no file, when it is no key."""
    from cw.keyring import load_keyring
    from workerhost.files import write_private

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, text.encode())
    try:
        load_keyring(settings)
    except CwError:
        path.unlink()
        raise


def _text(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read(_LONGEST_KEY) if name == "-" else Path(name).read_bytes()
        text = raw.decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no plain text"
        raise BadInputError(f"{name} cannot be read: {why}", hint=_HELP) from error
    if not text:
        raise BadInputError(f"{'stdin' if name == '-' else name} is empty", hint=_HELP)
    return text


def _existing(name: str) -> Path:
    path = Path(name).expanduser().resolve()
    if not path.is_file():
        raise BadInputError(f"there is no file {path}", hint="--ca names certificates in PEM form")
    return path
