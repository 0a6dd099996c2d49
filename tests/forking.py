"""Programs of ours without the time that Python takes to load what they need: 0.3 s of CPU time for
a `cw`, over a second for a host. They are forked from a process that has loaded it already, and run
the same `main()` with their own environment, folder and files.

How long one takes to start, and that it is installed at all, is for tests that start the program.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from cw.cli.main import COMMANDS
from tests.mutants import take_out

_LOADED = (
    "tests.typed",
    "celery.app.amqp",
    "celery.apps.worker",
    "celery.concurrency.thread",
    "celery.worker.consumer",
    "cw.broker.app",
    "cw.github.client",
    "cw.operations.dispatch.dispatching",
    "cw.store.store",
    "cw.broker.signed_transport",
    "workerhost.__main__",
    *(f"cw.cli.commands.{name}" for name in COMMANDS),
)
# Read when a program starts, and so by the process that all are forked from.
_EARLY = ("LD_", "PYTHON", "TZ", "LC_", "CELERY", "OTEL_")
_ROOT = str(Path(__file__).parents[1])

Files = tuple[Path, Path, Path]  # standard input, output and error
Main = Callable[[], int | None]


def can_fork(env: Mapping[str, str]) -> bool:
    """Whether this environment is one that a program can still get after it was loaded."""
    named = {name for name in env if name.startswith(_EARLY)}
    return not named or (named == {"PYTHONPATH"} and env["PYTHONPATH"] == _ROOT)


def forked(
    main: Main, args: tuple[str, ...], env: Mapping[str, str], cwd: Path, files: Files
) -> ForkServerProcess:
    """Output is added to what its files have. `main` is a function that can be imported."""
    process = _forking().Process(  # a name that Celery's loggers and handlers know
        target=_child, args=(main, args, dict(env), cwd, files), name="MainProcess"
    )
    process.start()
    return process


class Forked(subprocess.Popen[bytes]):
    """A forked process, used as one that was started. It is not our child but its loader's."""

    def __init__(self, process: ForkServerProcess, args: Sequence[str]) -> None:
        assert process.pid
        self.args = args
        self.pid = process.pid
        self.stdin = self.stdout = self.stderr = None
        self.returncode = None
        self._process = process

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._process.exitcode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def loader() -> int | None:
    """The process that all are forked from, if one was yet."""
    pid: int | None = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    return pid


@cache
def _forking() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_LOADED))
    return context


def _child(main: Main, args: tuple[str, ...], env: dict[str, str], cwd: Path, files: Files) -> None:
    take_out()
    given, out, err = files
    for number, path, how in (
        (0, given, os.O_RDONLY),
        (1, out, os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        (2, err, os.O_WRONLY | os.O_CREAT | os.O_APPEND),
    ):
        opened = os.open(path, how, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False
    )
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None
    sys.argv = list(args)
    sys.exit(main())
