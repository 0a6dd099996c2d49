"""Writing settings into config.toml; a person's own lines and comments stay."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cw.errors import BadInputError
from cw.homes.files import staged


def changed(path: Path, values: Mapping[str, str | None]) -> str:
    """What the file will say. None takes a setting out. Raises BadInputError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    kept = [line for line in lines if _name(line) not in values]
    # JSON's strings are TOML's.
    new = [f"{name} = {json.dumps(value)}" for name, value in values.items() if value is not None]
    text = "\n".join([*new, *kept, ""])
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInputError(
            f"{path} cannot be changed: {error}", hint=f"Write there yourself: {', '.join(values)}"
        ) from error
    return text


@contextmanager
def replacing(path: Path, text: str) -> Iterator[None]:
    """The file says this once the body has ended well. Mode 0600: a broker's address holds its
    password. Raises BadInputError, before the body begins unless the disk itself is to blame.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with staged(path, text.encode()):
            yield
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be written: {error.strerror}",
            hint="Give this user the right to write there, or free some space",
        ) from error


def _name(line: str) -> str:
    found = re.match(r"\s*([A-Za-z0-9_]+)\s*=", line)
    return found.group(1) if found else ""
