"""Two workers of a host that left, and a task that has said a few things."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cw.fleet_models import Host, Worker
from cw.models import Event
from cw.store.lease_values import Grant
from cw.store.store import Store

Cw = Callable[..., "subprocess.CompletedProcess[str]"]
EVIL = "\x1b]0;evil\x07\x9b2J"
PROMPT = f"Fix it{EVIL}\nall of it"


def tool(name: str, *, at: Any, **given: Any) -> Event:
    data = {"tool": name, "input": given, "turns": 2}
    return Event(at=at, kind="todo", text=f"{name}: x", data=data)


def dispatched(cw: Cw, repo: Path, *args: str) -> str:
    done = cw("dispatch", "-r", str(repo), "--json", *args)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["task"])


def run_it(store: Store, task: str, worker: str = "01") -> Grant:
    grant = store.tasks.acquire(task, worker=worker, host="there", ttl=60, session="s-1")
    assert isinstance(grant, Grant)
    return grant


def two_workers(store: Store) -> Store:
    """Workers 01 and 02 on host `there`, which left."""
    for one in ("01", "02"):
        store.fleet.register_worker(Worker(id=one, host="there", home=f"/nowhere/{one}"))
    store.fleet.beat(Host(name="there", workers=2), store.tasks.now())
    store.fleet.leave("there")
    return store


def talking(cw: Cw, fleet: Store, repo: Path) -> str:
    """A task that runs on 01 and has said a few things."""
    found = dispatched(cw, repo, "-i", "22", "-w", "01", "-p", PROMPT)
    run_it(fleet, found)
    at = fleet.tasks.now()
    said = [
        Event(at=at, kind="init", text="claude-x in /w"),
        Event(at=at, kind="text", text=f"Let me see.\n{EVIL}First the tests."),
        tool("TaskCreate", subject=f"Look{EVIL}", at=at),
        Event(at=at, kind="result", text=f"Task #1 created successfully: Look{EVIL}"),
        tool("TaskUpdate", taskId="1", status="in_progress", at=at),
        Event(at=at, kind="tool", text="Bash: make test", data={"tool": "Bash", "turns": 3}),
        Event(at=at, kind="result", text="", data={"error": False, "turns": 3}),
    ]
    fleet.events.append(found, said)
    return found
