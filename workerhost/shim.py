"""Owns one agent's process tree, outlives its host, records how the tree ended.

Started as `python -I -S shim.py`, with one JSON object on stdin:
`{argv, env, cwd, stdin, stdout, stderr, state, exit, grace_s, rest_s, limit_s, silence_s,
memory_mb, min_free_mb, log_mb, cgroup, proxy, marks}`. Paths are absolute; a limit of 0 or none is
no limit. `proxy`, if any, is {argv, env, fd}: the agent's way to the network, given a listening
socket; it ends with the run, and one that ends before it is started again. `cgroup`, if any, is a
control group that the agent enters and that is removed after it. `marks`, if any, is how its last
word is told: the fields of `workerhost.lastword.Marks`.
Writes `state` ({pid, start, boot, agent}) when the agent runs and `exit` ({rc, signal, cause,
started_at, ended_at, max_rss_kb, refused_processes}) when nothing of the tree is left. Times are
epoch seconds. The agent writes into pipes; what comes out is put into `stdout` and `stderr`.

SIGTERM or a limit ends the run: interrupt, after `grace_s` terminate, after as long again kill.
What an agent has left running when its last word comes may go on for `rest_s`; from then on no
limit is what ends it, unless it takes what others need.
`cause` is `exit`, `finished` (after its last word), `stopped`, `time_limit`, `stalled` (`stdout`
has not grown for `silence_s`), `memory` (the tree's processes together), `log_size` (more than
`log_mb` of stdout and stderr) or `disk_full` (less than `min_free_mb` free beside `stdout`, or no
room for `exit` but what was kept for it). Standard library only: a host has one of
these per busy worker.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

if __name__ == "__main__":  # isolated: what lies beside it is not found
    sys.path.append(__file__.rsplit("/", 2)[0])

from cw.processid import boot_id, start_time
from workerhost.captured import Captured
from workerhost.confined import confine, refused
from workerhost.exit_record import keep_room, record, write_end, write_state
from workerhost.lastword import Marks
from workerhost.process_tree import reap, signal_agent, sweep, takes_more

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_LOOK_SECONDS = 0.1
_HARMS_OTHERS = frozenset({"memory", "log_size", "disk_full"})


def main() -> int:
    spec = json.loads(sys.stdin.buffer.read())
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what daemonises itself stays our descendant
    stop = {"asked": False}
    signal.signal(signal.SIGTERM, lambda *_: stop.update(asked=True))
    for number in (signal.SIGINT, signal.SIGHUP):  # SIG_IGN would be the agent's as well
        signal.signal(number, lambda *_: None)
    started = time.time()
    try:
        keep_room(spec["state"], spec["exit"])
        door = Door(spec["proxy"]) if spec.get("proxy") else None
        marks = Marks(*spec["marks"]) if spec.get("marks") else None
        most = int(spec.get("log_mb", 0)) << 20
        captured = Captured([spec["stdout"], spec["stderr"]], most, marks)
        child = _start(spec, captured)
    except OSError as error:
        write_end(spec["exit"], record(127, "exit", started) | {"error": str(error)})
        return 1
    run = process_id(os.getpid()) | {"agent": child.pid, "started_at": started}
    write_state(spec["state"], run)
    cause = _wait(child, spec, Watched(captured, door, stop))
    sweep()
    captured.finish()
    write_end(spec["exit"], record(child.returncode, cause, started) | _crowd(spec))
    return 0


class Door:
    """The proxy. The listening socket is ours, so that what asks it meanwhile only waits."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = spec
        self._next = 0.0
        self._start()

    def _start(self) -> None:
        with os.fdopen(os.dup(self._spec["fd"]), "rb") as listener:
            self._process = subprocess.Popen(
                self._spec["argv"],
                env={**self._spec["env"], "CW_PARENT": str(os.getpid())},
                cwd="/",
                stdin=listener,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def keep(self, now: float) -> None:
        """Start it again if it has ended; about once a second."""
        if now < self._next or self._process.poll() is None:
            return
        self._next = now + 1.0
        with suppress(OSError):  # no memory, no process: the next time
            self._start()


class Watched:
    """What of a run is looked after beside the agent itself."""

    def __init__(self, captured: Captured, door: "Door | None", stop: dict[str, bool]) -> None:
        self.captured = captured
        self._door = door
        self._stop = stop

    @property
    def stop_asked(self) -> bool:
        return self._stop["asked"]

    def wait(self, seconds: float) -> None:
        if self._door:
            self._door.keep(time.monotonic())
        self.captured.wait(seconds)


def _start(spec: dict[str, Any], captured: Captured) -> "subprocess.Popen[bytes]":
    def confined() -> None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        confine(spec.get("cgroup", ""))

    with open(spec["stdin"], "rb") as given:
        child = subprocess.Popen(
            spec["argv"],
            env=spec["env"],
            cwd=spec["cwd"],
            stdin=given,
            stdout=captured.ends[0],
            stderr=captured.ends[1],
            start_new_session=True,
            preexec_fn=confined,  # noqa: PLW1509  no threads
        )
    captured.started(child.pid)
    return child


def _wait(child: "subprocess.Popen[bytes]", spec: dict[str, Any], watched: Watched) -> str:
    """Until the agent ends by itself, or was made to. Returns the cause."""
    limits = Limits(spec, child.pid, watched.captured)
    while child.poll() is None:
        cause = "stopped" if watched.stop_asked else limits.cause(time.monotonic())
        if cause:
            return _end(child, spec["grace_s"], cause, watched)
        reap(child.pid)
        watched.wait(_LOOK_SECONDS)
    # At a shutdown of the machine the agent gets the signal as well, and may be quicker than we.
    return "stopped" if watched.stop_asked and child.returncode else "exit"


def _crowd(spec: dict[str, Any]) -> dict[str, int]:
    group = spec.get("cgroup", "")
    if not group:
        return {}
    many = refused(group)
    for _ in range(50):
        try:
            os.rmdir(group)
            break
        except OSError:  # of those that were killed some are still on their way out
            reap(0)
            time.sleep(0.02)
    return {"refused_processes": many}


class Limits:
    """What a run may take. Looks at memory and disk about once a second."""

    def __init__(self, spec: dict[str, Any], agent: int, captured: Captured) -> None:
        self._spec = spec
        self._agent = agent
        self._captured = captured
        self._begin = self._grown = time.monotonic()
        self._next = 0.0
        self._size = -1

    def cause(self, now: float) -> str:
        """To end the run for, or an empty string."""
        passed, word = self.passed(now), self._captured.word.at
        if not word:
            return passed
        over = now - word > self._spec.get("rest_s", 0)
        return "finished" if over or passed in _HARMS_OTHERS else ""

    def passed(self, now: float) -> str:
        """Which limit is exceeded, or an empty string."""
        if now - self._begin > (self._spec["limit_s"] or float("inf")):
            return "time_limit"
        if self._captured.full:
            return self._captured.full
        if now < self._next:
            return ""
        self._next = now + 1.0
        if self._silent(now):
            return "stalled"
        memory = self._spec.get("memory_mb", 0) * 1024
        if memory and takes_more(self._agent, memory):
            return "memory"
        disk = os.statvfs(os.path.dirname(self._spec["stdout"]))
        full = disk.f_bavail * disk.f_frsize < self._spec.get("min_free_mb", 0) * 1024 * 1024
        return "disk_full" if full else ""

    def _silent(self, now: float) -> bool:
        size = self._captured.taken[0]
        if size != self._size:
            self._size, self._grown = size, now
        return now - self._grown > (self._spec.get("silence_s") or float("inf"))


def _end(child: "subprocess.Popen[bytes]", grace: float, cause: str, watched: Watched) -> str:
    """Interrupt, terminate, kill; each only if the one before was not enough."""
    for number in _SIGNALS:
        signal_agent(child.pid, number)
        deadline = time.monotonic() + grace
        while child.poll() is None and time.monotonic() < deadline:
            reap(child.pid)
            watched.wait(_LOOK_SECONDS / 2)
        if child.poll() is not None:
            return cause
    child.wait()
    return cause


def process_id(pid: int) -> dict[str, Any]:
    """What tells this process from a later one with the same number."""
    return {"pid": pid, "start": start_time(pid), "boot": boot_id()}


def _prctl(option: int, value: int) -> None:
    try:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    except (OSError, AttributeError):
        return  # not Linux: there an agent can outlive us, and what it started can outlive it


if __name__ == "__main__":
    sys.exit(main())
