"""Two machines on one broker: each steers the workers of the other."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cw.fleet_models import Host, Worker
from cw.models import PROTOCOL
from cw.store.store import open_store
from tests.acceptance.fleet import Fleet
from tests.waiting import wait_until

FAST = "rehearse: pace 0.01\n"
HANG = f"{FAST}rehearse: hang once\n"

Hosts = tuple[Fleet, Fleet]


def dispatch(at: Fleet, behaviour: str, worker: str) -> tuple[int, str]:
    number = at.github.add_issue("acme/app", "Change it", behaviour)
    said = at.json("dispatch", "-r", "acme/app", "-i", str(number), "-w", worker)
    return number, said["task"]


def states(at: Fleet) -> dict[str, str]:
    return {row["worker"]: row["state"] for row in at.json("status")["workers"]}


def hanging(at: Fleet, worker: str) -> tuple[int, str]:
    number, task = dispatch(at, HANG, worker)

    def hangs() -> bool:
        (row,) = at.json("status", worker)["workers"]
        return "sleep infinity" in row["last"]

    wait_until(hangs, what="the hang")
    return number, task


def agents(home: Path) -> list[str]:
    """Processes that work in this HOME."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            place = (path / "cwd").readlink()
        except OSError:
            continue
        if place.is_relative_to(home):
            found.append(path.name)
    return found


def service(at: Fleet, name: str) -> int:
    """The pid of what `cw up` runs on this machine."""
    found = json.loads((at.home / "state" / "services.json").read_text())
    (pid,) = (one["process"]["pid"] for one in found["services"] if one["name"] == name)
    return int(pid)


def test_both_hosts_are_seen_from_both(two_hosts: Hosts) -> None:
    for at in two_hosts:
        rows = {row["host"]: (row["state"], row["workers"]) for row in at.json("hosts")}
        assert rows == {"east": ("up", 1), "west": ("up", 2)}


def test_where_commits_are_that_another_host_could_not_push_is_said(two_hosts: Hosts) -> None:
    east, west = two_hosts
    agent = f"{FAST}rehearse: do echo x > x && git add x && git commit -qm x\nrehearse: no-change"
    east.github.fault(path_regex="/git-receive-pack$", status=403, times=None)
    number, task = dispatch(east, agent, "e1")
    first = east.finished(task)["outcome"]
    east.github.clear_faults()
    east.github.edit_issue("acme/app", number, body=f"{FAST}rehearse: no-change\n")

    done = west.cw("dispatch", "-r", "acme/app", "-i", str(number), "-w", "w1", "--json")
    second = west.finished(json.loads(done.stdout)["task"])["outcome"]

    assert (first["reason"], first["pushed"]) == ("not_pushed", False), first
    said = f"are on {first['kept']} in {first['clone']} of worker e1 on host east"
    assert said in done.stderr
    assert said in second["message"]


def test_id_that_lives_on_another_host_is_not_made_twice(two_hosts: Hosts) -> None:
    east, west = two_hosts

    done = east.cw("init", "w1")

    assert done.returncode == 2
    assert "worker w1 lives on host west already" in done.stderr
    assert not east.worker("w1").exists()
    assert "w1" in west.ok("status")


def test_run_on_the_other_machine_is_stopped_and_restarted_from_here(two_hosts: Hosts) -> None:
    east, west = two_hosts
    _, task = hanging(east, "w1")
    assert agents(west.worker("w1"))
    assert not (east.workers / "w1").exists()

    (row,) = east.json("stop", "w1")

    assert (row["task"], row["state"]) == (task, "stopped")
    wait_until(lambda: not agents(west.worker("w1")), what="the end of the run's processes")
    session = west.archive("w1")["run"]["session"]
    east.ok("restart", "w1")
    assert east.finished(task)["outcome"]["kind"] == "succeeded"
    run = west.archive("w1")["run"]
    assert (run["session"], run["resumed"], run["host"]) == (session, True, "west")


def test_reset_from_here_takes_the_label_off_through_the_other_host(two_hosts: Hosts) -> None:
    east, west = two_hosts
    number, _ = hanging(east, "w1")

    east.ok("reset", "w1", "--force")

    hub = west.github
    wait_until(lambda: not hub.issue("acme/app", number).labels, what="the label to go")
    assert states(west)["w1"] == "idle"


def test_pause_of_a_host_leaves_the_pool_to_the_other(two_hosts: Hosts) -> None:
    east, west = two_hosts
    east.ok("pause", "--host", "west")
    number = east.github.add_issue("acme/app", "Change it", FAST)
    task = west.json("dispatch", "-r", "acme/app", "-i", str(number))["task"]

    assert west.finished(task)["worker"] == "e1"
    assert states(east) == {"e1": "idle", "w1": "paused", "w2": "paused"}
    west.ok("resume", "--host", "west")
    assert states(east) == {"e1": "idle", "w1": "idle", "w2": "idle"}


def test_refresh_gives_the_other_machine_templates_but_no_tokens(two_hosts: Hosts) -> None:
    east, west = two_hosts
    home = west.worker("w2")
    (home / ".claude" / "CLAUDE.md").unlink()
    login = (home / ".zshenv").read_text()

    done = east.cw("refresh", "w2", "--json", more={"GH_TOKEN": "ghp_renewed"})

    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["updated"], row["tokens"]) == ([".claude/CLAUDE.md"], [])
    assert (home / ".claude" / "CLAUDE.md").read_text().startswith("# Worker w2\n")
    assert (home / ".zshenv").read_text() == login


def test_worker_of_the_other_machine_is_removed_from_here(two_hosts: Hosts) -> None:
    east, west = two_hosts
    west.ok("init", "w3")
    number, _ = hanging(east, "w3")

    done = east.json("remove", "w3", "--force")

    assert done["host"] == "west"
    assert Path(done["kept"]).parent == west.workers / ".removed"
    assert (Path(done["kept"]) / "github" / "acme" / "app" / "README.md").exists()
    assert "w3" not in states(west)
    wait_until(lambda: not east.github.issue("acme/app", number).labels, what="the label to go")


@pytest.fixture
def west_host(two_hosts: Hosts) -> Iterator[int]:
    """The pid of west's host; a test may freeze it, as a machine does that lost its network."""
    _, west = two_hosts
    pid = service(west, "host")
    yield pid
    os.kill(pid, signal.SIGCONT)


def test_wish_to_stop_waits_for_a_host_that_is_away(two_hosts: Hosts, west_host: int) -> None:
    east, west = two_hosts
    _, task = hanging(east, "w2")
    os.kill(west_host, signal.SIGSTOP)

    done = east.cw("stop", "w2", "--json")

    assert done.returncode == 4
    assert done.stderr.startswith("cw: the host of acme/app#")
    assert "the wish to stop stays recorded" in done.stderr
    assert [(row["task"], row["away"]) for row in json.loads(done.stdout)] == [(task, True)]
    assert agents(west.worker("w2"))
    os.kill(west_host, signal.SIGCONT)
    wait_until(lambda: states(east)["w2"] == "stopped", 60, what="the stop")
    assert not agents(west.worker("w2"))
    east.ok("reset", "w2")


def test_machines_say_how_they_are(two_hosts: Hosts) -> None:
    east, west = two_hosts

    rows = {row["host"]: row for row in east.json("hosts")}

    for row in rows.values():
        assert row["cores"] > 0
        assert row["memory_mb"] > 0
        assert row["disk_mb"] > 0
        assert abs(row["clock_ms"]) < 5000
        assert row["protocol"] == PROTOCOL
    assert "load" in west.ok("hosts").splitlines()[0]


def test_worker_with_a_home_on_two_machines_stays_where_it_was(two_hosts: Hosts) -> None:
    east, west = two_hosts
    copy = west.worker("e1")
    shutil.copytree(east.worker("e1"), copy, symlinks=True)
    try:
        words = "worker e1 lives on host east already and gets nothing here"
        wait_until(lambda: words in east.cw("hosts").stderr, 30, "the refusal")
        task = dispatch(west, FAST, "e1")[1]

        assert west.finished(task)["worker"] == "e1"
        assert east.archive("e1")["task"]["id"] == task
        assert not list((copy / "completed").glob(f"*{task}*"))
        assert [row["workers"] for row in east.json("hosts")] == [1, 2]
    finally:
        shutil.rmtree(copy)
    wait_until(lambda: words not in east.cw("hosts").stderr, 30, "the end of the warning")


def test_name_of_a_machine_that_is_up_is_refused_to_another(two_hosts: Hosts) -> None:
    east, _ = two_hosts
    stranger = {
        "CW_HOST_NAME": "west",
        "CW_WORKERS_ROOT": str(east.home / "other"),
        "CW_STATE_DIR": str(east.home / "other-state"),
    }

    done = subprocess.run(
        [sys.executable, "-P", "-m", "workerhost"],
        env=east.env() | stranger,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert "another machine that is up has the name west. Give this one another" in done.stderr
    assert {row["host"]: row["state"] for row in east.json("hosts")}["west"] == "up"


def test_lost_machine_is_forgotten_with_its_workers(two_hosts: Hosts, redis_server: str) -> None:
    east, _ = two_hosts
    store = open_store(redis_server)
    store.fleet.beat(Host(name="lost"), datetime(2020, 1, 1, tzinfo=UTC))
    for worker, host in (("l1", "lost"), ("l2", "lost")):
        store.fleet.register_worker(Worker(id=worker, host=host))
    _, task = dispatch(east, FAST, "l1")
    dispatch(east, FAST, "l2")
    store.tasks.acquire(task, worker="l1", host="lost", ttl=0.01, session="s")

    refused = [east.cw("host", "forget", name) for name in ("nobody", "west", "lost")]

    assert [one.returncode for one in refused] == [2, 2, 2]
    assert "there is no host nobody. Known: east, lost, west" in refused[0].stderr
    assert "host west is up. Stop it there first: cw down" in refused[1].stderr
    assert "work of workers l1, l2 lies there. Give it up first: cw reset l1" in refused[2].stderr
    assert "host lost has been silent for more than 45 s" in east.cw("hosts").stderr
    wait_until(lambda: east.cw("reset", "l1").returncode == 0, 30, "the end of its lease")
    assert "work of worker l2 lies there" in east.cw("host", "forget", "lost").stderr
    east.ok("reset", "l2")
    assert east.json("host", "forget", "lost") == {"host": "lost", "workers": ["l1", "l2"]}
    assert set(states(east)) == {"e1", "w1", "w2"}
    assert {row["host"] for row in east.json("hosts")} == {"east", "west"}
    store.connection.close()
