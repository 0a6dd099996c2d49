"""A machine joins over TLS as a host, and works with nothing but what joining has written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from cw.fleet_models import Host, Worker
from cw.keyring import new_key
from cw.states import State
from tests.conftest import make_repo
from tests.integration.hosting import AGENT, READY, ROOT, stop_runs
from tests.integration.networked import Networked, certificates, networked_machine
from tests.waiting import wait_until
from tests.walls import AROUND_REHEARSAL, AS_ROOT

QUICK = "rehearse: pace 0.05\nrehearse: no-change\n"


@dataclass
class Newcomer:
    """A machine with a HOME, and what stands for claude on it."""

    home: Path

    def env(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "CW_CLAUDE": str(AGENT),
            "CW_SANDBOX_READ": ":".join({str(AGENT.parent), sys.prefix, sys.base_prefix}),
            "CW_ISOLATION": AROUND_REHEARSAL,
            **AS_ROOT,
        }

    def cw(self, *words: str) -> CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cw", *words],
            env=self.env(),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self) -> subprocess.Popen[bytes]:
        with (self.home / "host.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "workerhost"],
                env=self.env(),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def log(self) -> str:
        return (self.home / "host.log").read_text("utf-8", "replace")[-3000:]

    def archives(self) -> list[Path]:
        return list((self.home / "workers" / "05" / "completed").glob("*.json"))

    def files(self) -> list[Path]:
        return sorted(self.home.rglob("*"))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Networked]:
    """The broker, and the machine that has the fleet's key and dispatches."""
    with networked_machine(make_repo(tmp_path_factory.mktemp("r") / "app")) as here:
        yield here


@pytest.fixture
def newcomer() -> Iterator[Newcomer]:
    made = Newcomer(Path(tempfile.mkdtemp(prefix="cwj-")))
    yield made
    stop_runs(made.home)
    shutil.rmtree(made.home, ignore_errors=True)


def invitation(first: Networked, **other: str) -> list[str]:
    given = {
        "url": first.address("host"),
        "ca": str(first.folder / "ca.pem"),
        "key": str(first.folder / "signing.key"),
    } | other
    files = ("--ca", given["ca"], "--key", given["key"])
    return ["host", "join", given["url"], *files, "--name", "east", "--tags", "gpu"]


def test_joined_machine_does_what_the_first_one_dispatches(
    first: Networked, newcomer: Newcomer
) -> None:
    joined = newcomer.cw(*invitation(first))
    made = newcomer.cw("init", "05")
    host = newcomer.start()
    try:
        assert (joined.returncode, made.returncode) == (0, 0), joined.stderr + made.stderr
        wait_until(lambda: _is_up(first, "east") or host.poll() is not None, READY, newcomer.log)
        assert host.poll() is None, newcomer.log()
        said = first.cw("dispatch", "-r", str(first.repo), "-t", "gpu", "-p", QUICK, "--json")
        task = json.loads(said)["task"]
        wait_until(lambda: _state(first, task) is State.DONE, 60, newcomer.log)

        (run,) = wait_until(newcomer.archives, what=newcomer.log)
        assert json.loads(run.read_text())["run"]["host"] == "east"
        assert host.poll() is None
        assert first.denied() == []
    finally:
        host.terminate()
        host.wait(20)


def test_wrong_invitation_ends_in_one_line_and_writes_nothing(
    first: Networked, newcomer: Newcomer, tmp_path: Path
) -> None:
    first.store().fleet.register_worker(Worker(id="01", host="here"))
    first.cw("dispatch", "-r", str(first.repo), "-w", "01", "-p", QUICK)
    certificates(tmp_path)
    (tmp_path / "wrong.key").write_text(f"{new_key()}\n")
    cases = (
        ({"url": first.address("host").replace(":HOST", ":WRONG")}, 4, "wrong password"),
        ({"ca": str(tmp_path / "ca.pem")}, 4, "its certificate is not to be trusted"),
        ({"key": str(tmp_path / "wrong.key")}, 2, "does not fit what this fleet has signed"),
        ({"key": str(tmp_path / "key.pem")}, 2, "not a fleet's signing key"),
        ({"url": first.address("dispatcher")}, 2, "user dispatcher may not take work"),
    )
    for other, code, words in cases:
        done = newcomer.cw(*invitation(first, **other))

        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1), done.stderr
        assert words in done.stderr
        assert "PASSWORD" not in done.stderr
        assert newcomer.files() == []
    assert newcomer.cw(*invitation(first)).returncode == 0
    assert newcomer.cw("host", "join", first.address("host"), "--tags", "big").returncode == 0
    assert newcomer.cw("hosts").returncode == 0
    assert {one.partition(":")[0] for one in first.denied()} == {"host", "dispatcher"}


def _is_up(first: Networked, name: str) -> bool:
    hosts: list[Host] = first.store().fleet.hosts()
    return any(one.name == name and one.up(first.store().tasks.now()) for one in hosts)


def _state(first: Networked, task: str) -> State | None:
    found = first.store().tasks.get(task)
    return found.state if found else None
