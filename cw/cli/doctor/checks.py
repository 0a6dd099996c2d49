"""What `cw doctor` looks at. Each check says what is missing and exactly how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from cw.check import Check
from cw.cli.context import Cli
from cw.cli.doctor.accounts import account_checks
from cw.cli.doctor.broker import broker_checks
from cw.cli.doctor.github import github_checks
from cw.cli.doctor.logins import login_checks
from cw.cli.doctor.telling import telling_checks
from cw.cli.doctor.workers import worker_checks
from cw.cli.local_host import ask_local
from cw.errors import CwError

_GIB = 1 << 30
_LITTLE_DISK = 5 * _GIB
_NO_DISK = _GIB


def all_checks(cli: Cli, programs: tuple[str, ...] = ()) -> Iterator[Check]:
    """`programs`: what agents are to find beside the usual."""
    yield Check("python", "ok", platform.python_version())
    yield git_check()
    yield from (Check(**row) for row in ask_local(cli.environ, "doctor", *programs))
    yield key_check(cli)
    yield from broker_checks(cli)
    yield disk_check(cli.settings.workers_root)
    yield from worker_checks(cli)
    yield from login_checks(cli)
    yield from account_checks(cli)
    yield from github_checks(cli)
    yield from telling_checks(cli)


def git_check() -> Check:
    """The host's own; `agents' git` is another check."""
    text = _version("git")
    if text:
        return Check("git", "ok", text)
    return Check("git", "fail", "not installed", "apt install git (or brew install git)")


def key_check(cli: Cli) -> Check:
    """Shown by a mark made of it, which is the same on every machine of a fleet."""
    from cw.keyring import key_file, load_keyring

    path = key_file(cli.settings)
    if not path.exists() and not cli.settings.signing_key_file:
        return Check("signing key", "ok", "none yet; made when first needed")
    try:
        return Check("signing key", "ok", f"{load_keyring(cli.settings).id} ({path})")
    except CwError as error:
        return Check("signing key", "fail", error.message, error.hint)


def disk_check(folder: Path) -> Check:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    text = f"{free / _GIB:.1f} GiB free at {there}"
    if free < _NO_DISK:
        return Check("disk", "fail", text, f"Free some: du -sh {folder}/*/github/*")
    if free < _LITTLE_DISK:
        return Check("disk", "warn", text, f"Free some: du -sh {folder}/*/github/*")
    return Check("disk", "ok", text)


def _version(program: str) -> str:
    """What it says about itself; empty when it does not start."""
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=15,
            check=False,
            env={**os.environ, "GH_NO_UPDATE_NOTIFIER": "1"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.splitlines()[0] if done.returncode == 0 and done.stdout else ""
