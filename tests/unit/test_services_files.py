"""Files, processes and the summary: small parts of `cw up`."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cw.errors import BadInputError
from cw.services import broker_server, lock, record, stopping, summary
from cw.services.catalog import Service, catalog
from cw.services.files import keep_small, private_folder, tail
from cw.services.processes import ProcessMark, alive, kill, mark, ours
from cw.services.record import ServiceRecord, UpRecord
from cw.settings import Settings
from workerhost.shim import process_id

BROKER = "redis://:s3cret@broker.example.com:6380/2"


def test_folder_is_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)

    made = private_folder(tmp_path / "open")

    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_link_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)

    with pytest.raises(BadInputError, match="not a folder of yours"):
        private_folder(tmp_path / "link")


def test_overlong_log_is_moved_aside_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "host.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old\n" * 10)
        keep_small(log, limit=20)
        writer.write(b"new\n")

    assert log.read_bytes() == b"new\n"
    assert (tmp_path / "host.log.1").read_bytes() == b"old\n" * 5
    assert stat.S_IMODE((tmp_path / "host.log.1").stat().st_mode) == 0o600


def test_tail_of_a_missing_log_is_empty(tmp_path: Path) -> None:
    assert tail(tmp_path / "no.log") == []


def test_process_with_another_start_is_another_process() -> None:
    me = mark(os.getpid())
    assert me is not None
    earlier = me.model_copy(update={"start": "1"})

    assert alive(me)
    assert ours(me)
    assert not alive(earlier)
    kill(earlier)  # would end the tests


def test_ended_process_that_waits_to_be_reaped_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert mark(child.pid) is None
    child.wait()


def test_record_comes_back_as_written(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    written = UpRecord(
        supervisor=ProcessMark(pid=1, start="2", boot="b"),
        services=(ServiceRecord(name="host", grace=20.0, failures=3),),
    )

    record.write(settings, written)

    assert record.read(settings) == written
    assert stat.S_IMODE(record.record_file(settings).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"supervisor": 1}'])
def test_record_that_cannot_be_used_counts_as_none(tmp_path: Path, content: bytes) -> None:
    settings = Settings(state_dir=tmp_path)
    record.record_file(settings).write_bytes(content)

    assert record.read(settings) is None


def test_second_holder_of_the_lock_is_told_the_first(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)

    with lock.hold_lock(settings):
        found = lock.holder(settings)
        with (
            pytest.raises(BadInputError, match=rf"pid {os.getpid()}") as refused,
            lock.hold_lock(settings),
        ):
            pass

    assert found == mark(os.getpid())
    assert "cw down" in refused.value.hint
    assert lock.holder(settings) is None


def test_stale_record_of_another_process_is_forgotten_and_nobody_hurt(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    me = mark(os.getpid())
    assert me is not None
    stale = me.model_copy(update={"boot": "an earlier boot"})
    service = ServiceRecord(name="host", process=stale, grace=0.0)
    record.write(settings, UpRecord(supervisor=stale, services=(service,)))

    assert stopping.stop_leftovers(settings, lambda _: None) == []
    assert record.read(settings) is None


def test_agents_are_counted_by_living_shims(tmp_path: Path) -> None:
    states = {"01": process_id(os.getpid()), "02": process_id(os.getpid()) | {"start": "1"}}
    for name, state in {**states, "03": None}.items():
        run = tmp_path / name / "run"
        run.mkdir(parents=True)
        (tmp_path / name / ".cw.json").write_text("{}")
        if state:
            (run / "shim.json").write_text(str({**state, "agent": 1}).replace("'", '"'))

    assert stopping.agents_running(Settings(workers_root=tmp_path)) == 1


def test_configured_broker_needs_no_private_one(tmp_path: Path) -> None:
    settings = Settings(broker_url=BROKER, state_dir=tmp_path, flower_port=0)

    assert [one.name for one in catalog(settings)] == ["host", "beat"]


def test_only_the_host_sees_tokens() -> None:
    environ = {"PATH": "/bin", "GH_TOKEN": "t", "CW_MODEL": "opus"}
    by_sight = {
        sees: set(Service(name="x", command=("x",), sees=sees).environment(environ))
        for sees in ("everything", "no tokens", "nothing")
    }

    assert by_sight == {
        "everything": {"PATH", "GH_TOKEN", "CW_MODEL"},
        "no tokens": {"PATH", "CW_MODEL"},
        "nothing": {"PATH"},
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (BROKER, "redis://broker.example.com:6380/2"),
        ("unix://:s3cret@/run/a%20b/socket?db=0", "/run/a b/socket"),
    ],
)
def test_shown_address_has_no_password(url: str, expected: str) -> None:
    assert expected == summary.address(url)


def test_socket_of_a_long_or_odd_path_moves_to_a_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    short = Settings(state_dir=Path("/s"))

    assert broker_server.socket_path(short) == Path("/s/broker/socket")
    for odd in ("/s" * 60, "/with space", "/ü"):
        found = broker_server.socket_path(Settings(state_dir=Path(odd)))
        assert found.parent.parent == tmp_path
        assert stat.S_IMODE(found.parent.stat().st_mode) == 0o700


def test_folder_for_the_socket_that_is_a_link_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    settings = Settings(state_dir=Path("/s" * 60))
    folder = broker_server.socket_path(settings).parent
    folder.rmdir()
    folder.symlink_to("/")

    with pytest.raises(BadInputError):
        broker_server.socket_path(settings)
