"""What config.toml says: in sections, or by the names that settings had before there were any."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cw.errors import BadInputError
from cw.sections.setting import SECTIONS, Setting, nearest

_LIST = "cw config lists them"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    texts: dict[str, str]  # by a setting's name, as its variable would say it
    old: tuple[Setting, ...] = ()  # that stand there by their old names

    def warning(self, path: Path) -> str:
        """Empty: nothing is to be said."""
        new = ", ".join(f"{row.name} is now {row.key} in [{row.section}]" for row in self.old)
        return f"warning: {path} has old names: {new}" if new else ""


@dataclass(frozen=True, slots=True)
class _Given:
    row: Setting
    typed: str  # its name there
    value: object


def read_text(path: Path) -> str:
    """Empty: there is no file. Raises BadInputError."""
    try:
        return path.read_bytes().decode()  # its line ends as they are
    except FileNotFoundError:
        if path.is_symlink():  # else it would count as no file, and its settings as defaults
            raise BadInputError(
                f"{path} is a link to {path.readlink()}, where there is nothing",
                hint="Make that file, or remove the link",
            ) from None
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} cannot be read: {error}") from error


def load_toml(text: str, path: Path) -> dict[str, Any]:
    """Raises BadInputError."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{path} cannot be read: {error}") from error


def parse(text: str, path: Path, table: tuple[Setting, ...]) -> ConfigFile:
    """Raises BadInputError naming the culprit."""
    found: dict[str, _Given] = {}
    for given in _given(load_toml(text, path), path, table):
        before = found.setdefault(given.row.name, given)
        if before is not given:
            raise BadInputError(
                f"{path}: {before.typed} and {given.typed} are the same setting",
                hint=f"Keep {given.row.dotted}",
            )
    return ConfigFile(
        {name: _text(given, path) for name, given in found.items()},
        tuple(given.row for given in found.values() if given.typed == given.row.name),
    )


def _given(data: dict[str, Any], path: Path, table: tuple[Setting, ...]) -> Iterator[_Given]:
    by_name, by_key = ({row.name: row for row in table}, {row.dotted: row for row in table})
    for name, value in data.items():
        if name in by_name:
            yield _Given(by_name[name], name, value)
        elif name in SECTIONS:
            for key, inner in _section(name, value, path).items():
                dotted = f"{name}.{key}"
                if dotted not in by_key:
                    raise _no_setting(dotted, path, table)
                yield _Given(by_key[dotted], dotted, inner)
        elif isinstance(value, dict):
            near = get_close_matches(name, SECTIONS, n=1, cutoff=0.5)
            hint = f"Did you mean: [{near[0]}]" if near else f"Sections: {', '.join(SECTIONS)}"
            raise BadInputError(f"{path}: there is no section [{name}]", hint=hint)
        else:
            raise _no_setting(name, path, table)


def _section(name: str, value: object, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInputError(f"{path}: {name} is a section, not a value", hint=f"Write [{name}]")
    return value


def _no_setting(typed: str, path: Path, table: Iterable[Setting]) -> BadInputError:
    near = nearest(typed, table)
    hint = f"Did you mean: {near.key} in [{near.section}]" if near else _LIST
    return BadInputError(f"{path}: no such setting: {typed}", hint=hint)


def _text(given: _Given, path: Path) -> str:
    value = given.value
    parts = value if isinstance(value, list) and given.row.many else [value]
    if not all(isinstance(part, (str, int, float)) for part in parts):
        wanted = "a list of texts" if given.row.many else "one value"
        raise BadInputError(f"{path}: {given.typed} is not {wanted}", hint=given.row.doc)
    return "\n".join(map(str, parts))
