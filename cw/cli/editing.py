"""`cw config edit`: a person's editor on a copy, which takes the file's place once it fits."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cw.cli.configfile import alone, mode_for, replacing
from cw.cli.foreground import for_another
from cw.config_file import read_text
from cw.errors import BadInputError, CwError
from cw.settings import config_path, load_settings

_NEW = """# Settings of cw; cw config shows all of them, and what they mean. For example:
# [run]
# time_limit = 3600
"""
_OTHERWISE = "vi"


def edit_file(environ: Mapping[str, str]) -> Path | None:
    """The file that was changed; None: its copy was left as it was. Raises CwError, and then the
    file is as it was. A copy in which somebody has written is kept and named.
    """
    path = config_path(environ)
    before = read_text(path)
    copy = _copy(path, before or _NEW)
    try:
        open_editor(environ, copy)
        text = _text(copy)
        if text == (before or _NEW):
            copy.unlink()
            return None
        _put(environ, path, before, text)
    except CwError as error:
        raise _with_copy(error, copy, before or _NEW, path) from error
    copy.unlink()
    return path


def _copy(path: Path, text: str) -> Path:
    """Beside the file, as private as it can be."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="config-", suffix=".toml", dir=path.parent)
    except OSError as error:
        raise BadInputError(
            f"{path.parent} cannot be written to: {error.strerror}",
            hint="Give this user the right to write there, or free some space",
        ) from error
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode())
    return Path(name)


def open_editor(environ: Mapping[str, str], copy: Path) -> None:
    """Returns once it has ended. Raises CwError."""
    editor = environ.get("VISUAL") or environ.get("EDITOR") or _OTHERWISE
    try:
        words = shlex.split(editor)
        process = subprocess.Popen([*words, str(copy)])
        with for_another():
            code = process.wait()
    except (OSError, ValueError) as error:
        raise BadInputError(
            f"the editor {editor!r} cannot be started", hint="Set VISUAL or EDITOR to one"
        ) from error
    if code:
        raise CwError(f"the editor {editor!r} ended with status {code}")


def _text(copy: Path) -> str:
    if not copy.exists():  # nothing is no empty file: it would take all settings away
        raise CwError(f"the editor has left nothing where {copy} was")
    return read_text(copy)


def _put(environ: Mapping[str, str], path: Path, before: str, text: str) -> None:
    load_settings(environ, text)
    with alone(path):
        if read_text(path) != before:
            raise BadInputError(f"{path} was changed by somebody else meanwhile")
        with replacing(path, text, mode_for(path, text)):
            pass


def _with_copy(error: CwError, copy: Path, before: str, path: Path) -> CwError:
    """The same, saying where the person's text is."""
    try:
        if copy.read_bytes() == before.encode():
            copy.unlink()
            return error
    except OSError:  # the editor took it away
        return error
    hint = f"{error.hint}. " if error.hint else ""
    error.hint = f"{hint}Your text is in {copy}; mend it there, then: mv {copy} {path}"
    return error
