"""Which claude binary runs here, and whether it is new enough."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from cw.errors import BadInputError, CwError
from cw.services.installed import how_to_add
from cw.settings import Settings
from workerhost.programs.runner import Version

MIN_VERSION = (2, 1, 202)  # earlier ones approve hosts that the policy closes
_VERSION = re.compile(r"\b(\d+)\.(\d+)\.(\d+)\b")
_SECONDS = 30


def how_to_get() -> str:
    return f"Get it with: {how_to_add('claude')}"


def find_claude(settings: Settings, environ: Mapping[str, str]) -> Path:
    """The binary: CW_CLAUDE, else PATH, else the one inside claude-agent-sdk.

    Raises BadInputError when what was set is no program, CwError when there is none at all.
    """
    path = environ.get("PATH", os.defpath)
    if settings.claude:
        chosen = shutil.which(os.path.expanduser(settings.claude), path=path)  # noqa: PTH111
        if not chosen:
            raise BadInputError(f"CW_CLAUDE: {settings.claude} is no program", hint=how_to_get())
        return Path(chosen).absolute()
    found = shutil.which("claude", path=path)
    if found:
        return Path(found).absolute()
    bundled = _bundled()
    if bundled:
        return bundled
    raise CwError("claude is not installed", hint=how_to_get())


def claude_version(path: Path) -> str:
    """`2.1.330`. Raises CwError when the binary does not say."""
    quiet = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    try:
        done = subprocess.run(
            [str(path), "--version"],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=keep | quiet,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CwError(
            f"{path} does not start ({type(error).__name__})", hint=how_to_get()
        ) from error
    match = _VERSION.search(done.stdout)
    if done.returncode or not match:
        raise CwError(f"{path} --version says nothing usable", hint=how_to_get())
    return match[0]


def version(path: Path) -> Version:
    """Raises CwError when the binary does not say."""
    text = claude_version(path)
    if new_enough(text):
        return Version(text)
    wanted = ".".join(map(str, MIN_VERSION))
    return Version(text, wanted, f"claude update; {how_to_get()}")


def new_enough(version: str) -> bool:
    match = _VERSION.search(version)
    return match is not None and tuple(map(int, match.groups())) >= MIN_VERSION


def _bundled() -> Path | None:
    spec = find_spec("claude_agent_sdk")
    for folder in spec.submodule_search_locations or () if spec else ():
        path = Path(folder) / "_bundled" / "claude"
        if os.access(path, os.X_OK):
            return path
    return None
