"""A HOME brought up to date: templates, tokens, git and ssh files. What was made by hand stays."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Mapping
from io import StringIO
from itertools import islice
from pathlib import Path

from dotenv import dotenv_values

from cw import __version__
from cw.errors import CwError
from cw.homes.files import read_json, read_regular, write_private
from cw.homes.home import copy_git_and_ssh, fingerprint, rendered, rules, token_line
from cw.homes.layout import HAND_MADE, Home, stays_inside
from cw.homes.owner import make_folders
from cw.models import Model

_MOST_NAMED = 1000  # of the files made by hand
_OFFER = ".new"  # beside a file changed by hand: what the template says now


class Refreshed(Model):
    """What was done to one HOME; paths are relative to it."""

    worker: str
    updated: tuple[str, ...] = ()  # template files written again
    kept: tuple[str, ...] = ()  # template files changed by hand, left as they are
    offered: tuple[str, ...] = ()  # the new text of those, beside them
    added: tuple[str, ...] = ()  # made by hand, left as they are
    tokens: tuple[str, ...] = ()  # names of those set anew
    copied: bool = False  # .gitconfig and .ssh


def refresh_rules(home: Home, templates: Path, own: Path | None = None) -> Refreshed:
    """The template files. Counts from the worker's next run on. Raises CwError."""
    marker = read_json(home.marker) or {"id": home.id}
    known = marker.get("files")
    written: dict[str, str] = dict(known) if isinstance(known, dict) else {}
    updated, kept, offered = [], [], []
    for name, content in rules(home, templates, own).items():
        if (home.path / name).is_symlink():  # to rules that several workers share, say
            kept.append(name)
            continue
        path = _inside(home, name)
        now = read_regular(path) if path.is_file() else None
        if now is None or (now != content and fingerprint(now) == written.get(name)):
            make_folders(path.parent)
            _put(path, content)
            updated.append(name)
        elif now != content:
            kept.append(name)
            if fingerprint(content) != written.get(name):
                write_private(_inside(home, name + _OFFER), content)
                offered.append(name + _OFFER)
            continue
        written[name] = fingerprint(content)
        _inside(home, name + _OFFER).unlink(missing_ok=True)
    state = {**marker, "files": written, "version": __version__}
    _put(home.marker, json.dumps(state).encode() + b"\n")
    return Refreshed(
        worker=home.id,
        updated=tuple(updated),
        kept=tuple(kept),
        offered=tuple(offered),
        added=tuple(_hand_made(home)),
    )


def refresh_tokens(home: Home, templates: Path, tokens: Mapping[str, str]) -> tuple[str, ...]:
    """Set the caller's tokens in .zshenv. Returns the names of those that were other before."""
    path = _inside(home, home.zshenv.name)
    try:
        text = read_regular(path).decode()
    except FileNotFoundError:
        text = rendered(home, templates, {}).get(path.name, b"").decode()
    except (OSError, UnicodeDecodeError) as error:
        raise CwError(f"{path} cannot be read", hint="It has to be text in UTF-8") from error
    merged, names = merge_tokens(text, tokens)
    if names:
        _put(path, merged.encode())
    return names


def refresh_git(home: Home, user_home: Path, kept: Collection[str] = ()) -> None:
    """Copy .gitconfig and .ssh again; what else lies in the HOME's .ssh stays, and so does what is
    `kept`, which a template has.
    """
    _inside(home, ".gitconfig")
    _inside(home, ".ssh/config")

    def put(path: Path, data: bytes) -> None:
        if path.relative_to(home.path).as_posix() not in kept:
            _put(path, data)

    copy_git_and_ssh(user_home, home.path, put)


def _put(path: Path, data: bytes) -> None:
    """Into the file that is there: one that is replaced loses what the wall of an agent that runs
    has bound over it, and lies open to that agent.
    """
    if path.is_symlink() or not path.is_file():
        write_private(path, data)
        return
    path.chmod(0o600)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_NOFOLLOW), "wb") as file:
        file.write(data)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def merge_tokens(text: str, tokens: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Pure. The text with these tokens, every other line as it was, and the names that changed."""
    before = dotenv_values(stream=StringIO(text), interpolate=False)
    changed = tuple(name for name, value in tokens.items() if before.get(name) != value)
    lines = text.splitlines(keepends=True)
    for name in changed:
        line = token_line(name, tokens[name]) + "\n"
        at = _line_of(lines, name)
        if at is not None:
            lines[at] = line
            continue
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        lines.append(line)
    return "".join(lines), changed


def _line_of(lines: list[str], name: str) -> int | None:
    """Where a variable is set (the last place counts), else where the template left room for it."""
    sets = re.compile(rf"\s*(?:export\s+)?{name}\s*=")
    room = re.compile(rf"\s*#\s*(?:export\s+)?{name}\s*=\s*$")
    for pattern in (sets, room):
        found = [number for number, line in enumerate(lines) if pattern.match(line)]
        if found:
            return found[-1]
    return None


def _hand_made(home: Home) -> list[str]:
    folders = (home.claude / name for name in HAND_MADE)
    found = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.relative_to(home.path).as_posix() for path in islice(found, _MOST_NAMED)]


def _inside(home: Home, name: str) -> Path:
    """Raises CwError for a path that leads out of HOME: the agent makes links."""
    path = home.path / name
    if path.is_symlink() or not stays_inside(home, path):
        raise CwError(f"{path} is a link, or leads out of the worker's HOME", hint="Remove it")
    return path
