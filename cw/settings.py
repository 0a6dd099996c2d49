"""Every setting, read once: environment `CW_*` over config.toml over defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cw import values
from cw.config_file import parse, read_text
from cw.errors import BadInputError
from cw.private import refuse_open, refuse_overlap
from cw.sections.github import GitHubSettings
from cw.sections.machine import MachineSettings
from cw.sections.setting import Setting, rows
from cw.sections.work import WorkSettings


@dataclass(frozen=True, kw_only=True)
class Settings(MachineSettings, WorkSettings, GitHubSettings):
    """What is passed to whoever needs a setting: `settings.run_time_limit`."""


TABLE = rows(Settings)

# Each of them may also lie in a file that CW_<NAME>_FILE names, as containers get secrets.
SECRETS = frozenset({"broker_url", "flower_password", "github_token", "notify_secret", "notify_to"})


def config_path(environ: Mapping[str, str]) -> Path:
    if environ.get("CW_CONFIG"):
        return values.path(environ["CW_CONFIG"])
    base = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return values.path(base) / "cw" / "config.toml"


def load_settings(
    environ: Mapping[str, str],
    text: str | None = None,
    *,
    warn: Callable[[str], None] = lambda _: None,
) -> tuple[Settings, dict[str, str]]:
    """The settings and, for each, where it came from. Raises BadInputError naming the culprit.

    `text`: what config.toml is going to say, instead of what it says. `warn` is told in one line
    of names that it should not have any more.
    """
    path = config_path(environ)
    file = parse(read_text(path) if text is None else text, path, TABLE)
    if text is None and holds_secret(file.texts):
        refuse_open(path)
    given: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for row in TABLE:
        raw, source = _raw(row, environ, file.texts, path)
        origin[row.name] = source
        if raw is not None:
            given[row.name] = read_value(row, raw, source)
    settings = Settings(**given)
    _check(settings)
    refuse_overlap(
        settings.sandbox_read,
        (settings.workers_root, settings.state_dir),
        (
            values.path(environ.get("HOME") or "~"),
            path,
            *filter(None, (settings.signing_key_file, settings.github_app_key_file)),
        ),
    )
    if warning := file.warning(path):
        warn(warning)
    return settings, origin


def read_value(row: Setting, raw: str, source: str) -> Any:
    """Raises BadInputError that names where the text came from."""
    try:
        return row.read(raw)
    except ValueError as error:
        shown = "its value" if row.name in SECRETS else repr(raw)
        raise BadInputError(f"{source}: {shown} does not fit {row.dotted}", hint=row.doc) from error


def holds_secret(texts: Mapping[str, str]) -> bool:
    """An address without user and password may be read by anybody."""
    url = texts.get("broker_url", "")
    return not (SECRETS - {"broker_url"}).isdisjoint(texts) or any(
        part in url for part in ("@", "password=")
    )


def _raw(
    row: Setting, environ: Mapping[str, str], file: Mapping[str, str], path: Path
) -> tuple[str | None, str]:
    for variable in (row.variable, *row.also):
        if environ.get(variable):
            return environ[variable], variable
    in_file = f"{row.variable}_FILE"
    if row.name in SECRETS and environ.get(in_file):
        secret = _read_secret(Path(environ[in_file]), in_file)
        if secret:  # an empty file counts as unset, like an empty variable
            return secret, in_file
    if row.name in file:
        return file[row.name], f"{path}"
    return None, "default"


def _read_secret(path: Path, variable: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{variable}: {path} cannot be read: {error}") from error


def _check(settings: Settings) -> None:
    if not settings.lease_renew < settings.lease_ttl - settings.lease_margin:
        raise BadInputError(
            "lease.renew must be shorter than lease.ttl minus lease.margin",
            hint="The defaults are 30, 600 and 60 seconds",
        )
    if bool(settings.github_app_id) != bool(settings.github_app_key_file):
        raise BadInputError(
            "github.app_id and github.app_key_file go together",
            hint="Set both of them, CW_GITHUB_APP_ID and CW_GITHUB_APP_KEY_FILE, or neither",
        )
    if not settings.lease_margin > 2 * settings.stop_grace:
        raise BadInputError(
            "lease.margin must be longer than twice run.stop_grace: a run that has lost its lease"
            " is killed by then",
            hint="The defaults are 60 and 10 seconds",
        )
