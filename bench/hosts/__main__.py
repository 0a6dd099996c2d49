"""`python -m bench.hosts [--tasks N]`: one of three machines loses its network while it works.

As root, on Linux: each machine is a network namespace; the broker on the first speaks TLS and
knows users. One machine is cut off for longer than a lease, and healed. Exit status 0: nothing was
lost or done twice, and the cut was visible in `cw hosts` within a minute.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.chaos import agentlog
from bench.hosts.broker import Broker
from bench.hosts.fleet import SCALED, Desk, Fleet
from bench.hosts.net import Net
from cw.models import Task
from cw.states import OutcomeKind, State

WORKERS = 3  # on each machine
LOST = "three"
MINUTE = 60.0
CUT = 75.0  # seconds; a lease is 20 here
_PROMPTS = ("rehearse: no-change", "rehearse: no-change", "rehearse: commit-only")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.hosts")
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=30, help="before the rest counts as lost")
    options = parser.parse_args(argv)
    if os.getuid():
        print("hosts: needs root: it makes network namespaces", file=sys.stderr)
        return 2
    folder = Path(tempfile.mkdtemp(prefix="cwh-"))
    net = Net(["two", LOST])
    broker = Broker(folder, net)
    fleet = Fleet(folder, net, broker)
    try:
        net.up()
        net.join_hub()
        broker.start()
        fleet.start(WORKERS)
        _until(lambda: len(_up(fleet)) == len(fleet.machines), 120, "three hosts")
        _say(f"three hosts are up, with {WORKERS} workers each")
        return _rehearse(fleet, options.tasks, options.minutes * 60)
    finally:
        fleet.stop()
        broker.stop()
        net.down()
        shutil.rmtree(folder, ignore_errors=True)


def _rehearse(fleet: Fleet, tasks: int, patience: float) -> int:
    desk, began = Desk(fleet), time.monotonic()
    for number in range(1, WORKERS + 1):
        desk.dispatch("rehearse: pace 0.02\nrehearse: slow 60\n", f"{LOST}{number}")
    _work(desk, tasks // 4)
    _until(lambda: _running_there(desk) >= 2, 300, "runs on the machine to be cut off")
    fleet.net.cut(LOST)
    cut, before = time.monotonic(), _done(desk)
    lease = SCALED["CW_LEASE_TTL"]
    _say(f"{LOST} is cut off, with {_running_there(desk)} runs; a lease is {lease} s")
    _work(desk, tasks - tasks // 4 - WORKERS)
    _until(lambda: LOST not in _up(fleet), 2 * MINUTE, "the cut in cw hosts")
    seen = time.monotonic() - cut
    _say(f"cw hosts shows it after {seen:.0f} s")
    while time.monotonic() - cut < CUT:
        time.sleep(1)
    _say(f"{_done(desk) - before} tasks were finished elsewhere meanwhile")
    fleet.net.heal(LOST)
    _say(f"{LOST} is back after {time.monotonic() - cut:.0f} s")
    _until(lambda: LOST in _up(fleet), 2 * MINUTE, "the machine to be back")
    while _done(desk) < tasks and time.monotonic() - began < patience:
        time.sleep(2)
    return _judge(desk, fleet, seen, time.monotonic() - began)


def _work(desk: Desk, many: int) -> None:
    """Mostly for the pool; every eighth for a worker of the machine that is cut off."""
    for number in range(many):
        prompt = f"rehearse: pace 0.02\nrehearse: slow 2\n{_PROMPTS[number % len(_PROMPTS)]}\n"
        own = f"{LOST}{number % WORKERS + 1}" if number % 8 == 0 else None
        desk.dispatch(prompt, own)


def _judge(desk: Desk, fleet: Fleet, seen: float, took: float) -> int:
    runs = fleet.log().read()
    ended = agentlog.completed(runs)
    tasks = {one.id: desk.store.tasks.get(one.id) for one in desk.sent}
    zeros = {
        "lost": sum(not _succeeded(one) for one in tasks.values()),
        "brought to an end by no agent": sum(one not in ended for one in tasks),
        "done twice": sum(often > 1 for often in ended.values()),
        "seconds with two agents on a task": round(sum(agentlog.overlaps(runs, "task")), 1),
        "seconds with two agents in a HOME": round(sum(agentlog.overlaps(runs, "home")), 1),
        "older fence after newer": agentlog.backward_fences(runs),
    }
    again = len(runs) - len(tasks)
    _say(f"{len(tasks)} tasks in {took:.0f} s; {len(runs)} runs, {again} of them again")
    for name, number in zeros.items():
        _say(f"{name}: {number}")
    for task in tasks.values():
        if not _succeeded(task):
            _say(f"{task.spec.id} {task.state} {task.worker} {task.reason}" if task else "gone")
    good = not any(zeros.values()) and seen <= MINUTE
    _say("nothing was lost or done twice" if good else "FAILED")
    return 0 if good else 1


def _succeeded(task: Task | None) -> bool:
    return bool(task and task.outcome and task.outcome.kind is OutcomeKind.SUCCEEDED)


def _done(desk: Desk) -> int:
    return len(desk.store.tasks.done_tasks(len(desk.sent)))


def _running_there(desk: Desk) -> int:
    open_tasks = desk.store.tasks.open_tasks()
    return sum(one.host == LOST and one.state is State.RUNNING for one in open_tasks)


def _up(fleet: Fleet) -> list[str]:
    return [name for name, one in fleet.hosts().items() if one["state"] == "up"]


def _until(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"hosts: waited {seconds:.0f} s for {what}")
        time.sleep(0.5)


def _say(text: str) -> None:
    print(f"hosts: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
