"""What `cw config set` and `unset` write: checked as a whole first, then in place at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from cw.cli.configfile import Changes, alone, changed, hiding, mode_for, replacing, without
from cw.config_file import load_toml, read_text
from cw.errors import CwError
from cw.sections.setting import Setting
from cw.settings import config_path, load_settings


def write_changes(environ: Mapping[str, str], changes: Changes) -> Path:
    """The file that was changed. Raises BadInputError, and then has changed nothing."""
    path = config_path(environ)
    _checked(environ, path, changes)  # what is refused leaves no trace, not even a lock
    with alone(path):
        text = _checked(environ, path, changes)
        with replacing(path, text, mode_for(path, text)):
            pass
    return path


def _checked(environ: Mapping[str, str], path: Path, changes: Changes) -> str:
    """What the file will say. Raises BadInputError."""
    text = changed(path, changes)
    load_settings(without(environ, changes), text)
    return text


def given_there(environ: Mapping[str, str], wanted: Iterable[Setting]) -> list[Setting]:
    """Those of them that the file gives, whatever else it says. Raises BadInputError."""
    path = config_path(environ)
    data = load_toml(read_text(path), path)
    return [row for row in wanted if row.name in data or row.key in _table(data.get(row.section))]


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def still_to_know(environ: Mapping[str, str], changes: Iterable[Setting]) -> list[str]:
    """Why a change of the file may not be seen at once."""
    found = [f"{name} is set and wins over config.toml" for name in hiding(environ, list(changes))]
    return [*found, *_running(environ)]


def _running(environ: Mapping[str, str]) -> list[str]:
    from cw.services.lock import holder

    with suppress(CwError, OSError):
        if holder(load_settings(environ)[0]):
            return ["what cw up runs here reads it at its next start: cw down; cw up -d"]
    return []
