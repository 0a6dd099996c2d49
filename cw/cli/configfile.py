"""Writing settings into config.toml; a person's own lines and comments stay."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from cw.errors import BadInputError
from workerhost.files import write_private


def set_values(path: Path, values: Mapping[str, str | None]) -> None:
    """None takes a setting out. Mode 0600: a broker's address holds its password.

    Raises BadInputError, and then has changed nothing.
    """
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
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, text.encode())


def _name(line: str) -> str:
    found = re.match(r"\s*([A-Za-z0-9_]+)\s*=", line)
    return found.group(1) if found else ""
