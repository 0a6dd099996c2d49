"""`cw` as it is typed: each time a process of its own, with this environment and nothing else.

Such a process takes 0.3 s of CPU time to load what it needs, most of the time of a test that types
a lot. These are forked from one that has loaded it already. How long `cw` takes to start, and that
it is installed at all, is for tests that start the command itself.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

from cw.cli.main import COMMANDS, main
from tests.mutants import take_out

_LOADED = (
    "tests.typed",
    "celery.app.amqp",
    "cw.broker",
    "cw.github.client",
    "cw.operations.dispatch",
    "cw.store.store",
    "cw.broker.signed_transport",
    *(f"cw.cli.commands.{name}" for name in COMMANDS),
)


def typed(
    *args: str, env: Mapping[str, str], cwd: Path, stdin: bytes | None = None, timeout: float = 90.0
) -> subprocess.CompletedProcess[bytes]:
    """`timeout` in seconds. Raises subprocess.TimeoutExpired."""
    with tempfile.TemporaryDirectory(prefix="cw-typed-") as folder:
        files = [Path(folder) / name for name in ("in", "out", "err")]
        if stdin is None:
            files[0] = Path(os.devnull)
        else:
            files[0].write_bytes(stdin)
        process = _forking().Process(target=_child, args=(args, dict(env), cwd, files))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["cw", *args], timeout)
        out, err = (one.read_bytes() if one.exists() else b"" for one in files[1:])
        return subprocess.CompletedProcess(["cw", *args], process.exitcode, out, err)


@cache
def _forking() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_LOADED))
    return context


def _child(args: tuple[str, ...], env: dict[str, str], cwd: Path, files: list[Path]) -> None:
    take_out()
    given, out, err = files
    for number, path, how in (
        (0, given, os.O_RDONLY),
        (1, out, os.O_WRONLY | os.O_CREAT),
        (2, err, os.O_WRONLY | os.O_CREAT),
    ):
        opened = os.open(path, how, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["cw", *args]
    sys.exit(main())
