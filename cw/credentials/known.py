"""The secrets that are known here: whatever leaves HOME is cleaned of them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cw.broker.address import broker_url
from cw.credentials.agentenv import agent_environment, own_variables
from cw.errors import CwError
from cw.homes.files import read_regular
from cw.homes.layout import Home, homes
from cw.redaction.redact import Redactor, redactor
from cw.settings import Settings


def redactor_for(home: Home, settings: Settings, host_env: Mapping[str, str]) -> Redactor:
    """For a worker: its own secrets, also those kept from its agent, and the host's."""
    return redactor(_secrets_of(home, settings, host_env), host_secrets(settings))


class LogRedactor:
    """For the host's log: its own secrets and those of all its HOMEs, as they are at each line. For
    one thread at a time, as a log's handler calls it.
    """

    def __init__(self, settings: Settings, host_env: Mapping[str, str]) -> None:
        self._settings = settings
        self._host_env = host_env
        self._seen: object = None
        self._redact = redactor(host_secrets(settings))

    def __call__(self, text: str) -> str:
        try:
            self._look()
        except (OSError, CwError, ValueError):  # the line is wanted all the same
            self._seen = None
        return self._redact(text)

    def _look(self) -> None:
        """Reads files only when one has changed."""
        found = homes(self._settings.workers_root)
        seen = [(home.id, _mark(home.zshenv), _mark(_lent(home))) for home in found]
        if seen == self._seen:
            return
        self._seen = seen  # before: what reads the files may log something itself
        envs = (_secrets_of(home, self._settings, self._host_env) for home in found)
        self._redact = redactor(host_secrets(self._settings), *envs)


def _mark(path: Path) -> tuple[int, ...]:
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _secrets_of(home: Home, settings: Settings, host_env: Mapping[str, str]) -> dict[str, str]:
    own = {**own_variables(home), **agent_environment(home, settings, host_env)}
    with contextlib.suppress(OSError, UnicodeDecodeError):  # none is lent
        own["LENT_TOKEN"] = read_regular(_lent(home)).decode("ascii")
    return own


def _lent(home: Home) -> Path:
    return home.github / "token"


def host_secrets(settings: Settings) -> dict[str, str]:
    """What this machine logs in with, by names that say that it is secret."""
    try:
        password = unquote(urlsplit(broker_url(settings)).password or "")
    except (CwError, ValueError):
        password = ""
    return {
        "HOST_GITHUB_TOKEN": settings.github_token,
        "BROKER_PASSWORD": password,
        "FLOWER_PASSWORD": settings.flower_password,
        "NOTIFY_SECRET": settings.notify_secret,
        **{f"NOTIFY_{at}_SECRET": address for at, address in enumerate(settings.notify_to)},
    }
