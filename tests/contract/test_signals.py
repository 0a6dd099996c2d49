"""What signals do to a run whose tool is busy, and what they leave behind."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.contract.ordinary import Ordinary
from tests.contract.processes import alive_in, commands_in, until
from tests.contract.room import Ended, Room, Started
from tests.needs import need, require
from tests.standins.messages import bash, hang, text

BUSY = "touch ~/tool-runs; sleep 300 & sleep 301"


def busy(room: Room, *wrap: str) -> Started:
    started = room.start(bash(BUSY), text("Done."), wrap=wrap)
    sleeps = {"sleep 300", "sleep 301"}
    until(lambda: sleeps <= set(commands_in(room.home)), "both sleeps")
    return started


def outer_bwrap(room: Room) -> list[str]:
    """As around a real worker: only HOME can be written, everything dies with bwrap."""
    roots = [Path(name) for name in ("/bin", "/lib", "/lib64", "/sbin") if Path(name).exists()]
    links = [one for one in roots if one.is_symlink()]
    return [
        need("bwrap"),
        *("--die-with-parent", "--unshare-pid", "--new-session"),
        *("--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc"),
        *(word for one in links for word in ("--symlink", str(one.readlink()), str(one))),
        *(word for one in roots if one not in links for word in ("--ro-bind", str(one), str(one))),
        *("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),
        *("--bind", str(room.home), str(room.home)),
        *("--ro-bind", str(room.claude.path), str(room.claude.path)),
        *("--chdir", str(room.work)),
    ]


@pytest.fixture
def wrap(room: Room) -> list[str]:
    words = outer_bwrap(room)
    tried = subprocess.run([*words, "/bin/sh", "-c", "exit 0"], capture_output=True, check=False)
    require(tried.returncode == 0, "a bwrap that may make namespaces")
    return words


def test_each_bash_call_has_a_session_of_its_own(ordinary: Ordinary) -> None:
    """So killpg on claude's group does not reach its tools."""
    sessions = [int(one["content"]) for one in ordinary.ended.answers("Bash")[:2]]

    assert len({*sessions, ordinary.ended.pid}) == 3


def test_interrupt_during_a_tool_leaves_nothing_behind(room: Room) -> None:
    """Where it ends with status zero a result line is not certain: 1 of 41 had none on a machine
    that was busy otherwise (2.1.332).
    """
    ended = busy(room).interrupt()

    assert ended.rc in room.claude.differs(old=1, new=0)
    said = [(line["subtype"], line["is_error"]) for line in ended.of("result")]
    assert said in ([("error_during_execution", True)], [] if ended.rc == 0 else None)
    assert all(line["terminal_reason"] == "aborted_tools" for line in ended.of("result"))
    until(lambda: not alive_in(room.home), "the tool to end")


def test_interrupt_while_waiting_for_the_model_ends_with_status_zero(room: Room) -> None:
    """And a result line is not certain: neither proves success."""
    started = room.start(hang())
    room.api.wait_for(lambda request: request.session == started.session)
    ended = started.interrupt()

    assert ended.rc == 0
    assert [line["is_error"] for line in ended.of("result")] in ([], [True])


def terminated(room: Room) -> Ended:
    started = busy(room)
    started.process.terminate()
    return started.end()


def test_terminate_gives_143_and_no_result(room: Room) -> None:
    """Old: the tool goes on. New: it is ended first, which takes some 1.5 s."""
    ended = terminated(room)
    left = bool(alive_in(room.home))

    assert (ended.rc, ended.of("result")) == (143, [])
    assert left in room.claude.differs(old=True, new=False)


def test_kill_leaves_the_tool_behind(room: Room) -> None:
    started = busy(room)
    started.process.kill()
    ended = started.end()

    assert (ended.rc, ended.of("result")) == (-signal.SIGKILL, [])
    assert {"sleep 300", "sleep 301"} <= set(commands_in(room.home))


def test_kill_of_the_outer_bwrap_ends_the_whole_tree(room: Room, wrap: list[str]) -> None:
    started = busy(room, *wrap)
    started.process.kill()

    assert started.end().rc == -signal.SIGKILL
    until(lambda: not alive_in(room.home), "the tree to end")


def test_works_inside_the_outer_bwrap(room: Room, wrap: list[str]) -> None:
    outside = room.home.parent / "not-bound"
    outside.write_text("", encoding="utf-8")
    look = f"ls {outside}; echo made > made.txt"
    ended = room.run(bash(look), text("Done."), wrap=wrap)

    assert (ended.rc, ended.result["is_error"]) == (0, False), ended.result
    assert "No such file" in ended.answers("Bash")[0]["content"]
    assert (room.work / "made.txt").exists()
