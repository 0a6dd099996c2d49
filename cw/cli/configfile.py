"""Changing config.toml; a person's own lines and comments stay."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cw.config_file import load_toml, parse, read_text
from cw.errors import BadInputError
from cw.homes.files import staged
from cw.sections.setting import Setting
from cw.settings import SECRETS, TABLE, holds_secret

Changes = Mapping[Setting, object]  # None takes a setting out
_PRIVATE = 0o600
# Who changes the file has it for an instant, who joins a fleet for longer.
_PATIENCE_SECONDS = 10.0


def changed(path: Path, changes: Changes) -> str:
    """What the file will say. A setting that stood there by its old name moves into its section.
    Raises BadInputError.
    """
    before = read_text(path)
    wanted = load_toml(before, path)
    for row, value in changes.items():
        _change(wanted, row, value, path)
    crlf = 0 < before.count("\n") == before.count("\r\n")
    text = _edited(before.replace("\r\n", "\n") if crlf else before, path, changes)
    text = text.replace("\n", "\r\n") if crlf else text
    # Whatever an editor of TOML gets wrong is found here, and not at the next command.
    if _filled(load_toml(text, path)) != _filled(wanted):
        raise _by_hand(path, changes)
    return text


def _edited(before: str, path: Path, changes: Changes) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(before if before.endswith("\n") or not before else f"{before}\n")
        for row, value in changes.items():
            _change(document, row, value, path)
            _tidy(document, row.section)
        text = tomlkit.dumps(document)
    except TOMLKitError as error:
        raise _by_hand(path, changes) from error
    return _trimmed(text, before)


def _trimmed(text: str, before: str) -> str:
    """Without the empty lines at both ends that came with a section, or stayed without it."""
    if not before.startswith("\n"):
        text = text.lstrip("\n")
    if before.endswith("\n\n"):
        return text
    text = text.rstrip("\n")
    return f"{text}\n" if text else ""


def _change(data: dict[str, Any], row: Setting, value: object, path: Path) -> None:
    data.pop(row.name, None)
    section = data.get(row.section)
    if section is not None and not isinstance(section, dict):
        raise BadInputError(
            f"{path}: {row.section} is a section, not a value", hint=f"Write [{row.section}]"
        )
    if value is not None:
        if section is None:
            data[row.section] = {row.key: value}
        else:
            section[row.key] = value
    elif section is not None:
        section.pop(row.key, None)


def _tidy(document: dict[str, Any], name: str) -> None:
    """Of a section that has lost all it had nothing is left, unless somebody wrote there."""
    left = document.get(name)
    if left == {} and "#" not in left.as_string() + left.trivia.comment:
        del document[name]


def _filled(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value != {}}


def _by_hand(path: Path, changes: Changes) -> BadInputError:
    names = ", ".join(f"{row.key} in [{row.section}]" for row in changes)
    return BadInputError(f"{path} cannot be changed by cw", hint=f"Change there yourself: {names}")


def mode_for(path: Path, text: str) -> int:
    """Of the file that is going to say this: as it was, but private when it holds a secret."""
    if holds_secret(parse(text, path, TABLE).texts) or not path.exists():
        return _PRIVATE
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def alone(path: Path, seconds: float = _PATIENCE_SECONDS) -> Iterator[None]:
    """What is read here and put back is changed by no other cw meanwhile. The lock lies beside the
    file, wherever a link leads, and stays: removing it would let two in. Raises BadInputError.
    """
    real = path.resolve()
    try:
        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(real.with_name(f".{real.name}.lock"), os.O_RDWR | os.O_CREAT, _PRIVATE)
    except OSError as error:
        raise _not_written(path, error) from error
    try:
        _lock(handle, path, seconds)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, path: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise BadInputError(
                    f"{path} is being changed by another cw", hint="Type it again when that is done"
                ) from None
            time.sleep(0.02)
        else:
            return


@contextmanager
def replacing(path: Path, text: str, mode: int = _PRIVATE) -> Iterator[None]:
    """The file says this once the body has ended well. A link stays one: where it leads is
    replaced. Raises BadInputError, before the body begins unless the disk itself is to blame.
    """
    try:
        if path.exists() and not path.is_file():
            raise BadInputError(f"{path} is no file", hint="CW_CONFIG names another")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with staged(path.resolve(), text.encode(), mode):
            yield
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> BadInputError:
    return BadInputError(
        f"{path} cannot be written: {error.strerror}",
        hint="Give this user the right to write there, or free some space",
    )


def hiding(environ: Mapping[str, str], given: Collection[Setting]) -> list[str]:
    """The variables that are set and win over what config.toml says of these settings."""
    found: list[str] = []
    for row in given:
        in_file = (f"{row.variable}_FILE",) if row.name in SECRETS else ()
        found += [name for name in (row.variable, *row.also, *in_file) if environ.get(name)]
    return found


def without(environ: Mapping[str, str], given: Collection[Setting]) -> dict[str, str]:
    """Variables that would hide what is going to be written are none of what is checked."""
    hidden = hiding(environ, given)
    return {name: text for name, text in environ.items() if name not in hidden}
