"""`python -m tests.rehearsals.systemd`: deploy/install.sh in a pristine, booted Debian 12."""

from __future__ import annotations

import argparse
import json
import re
import shutil
from pathlib import Path

from tests.rehearsals.booted import Machine, booted, pip_settings
from tests.rehearsals.world import API_KEY, BY_PROXY, REPO, TOKEN, World, copy_checkout, world
from tests.waiting import wait_until

UNITS = ("cw-broker", "cw-host", "cw-beat", "cw-flower")
_GOOD_EXPOSURE = 5.0
_ENVIRONMENT = "/etc/cw/environment"
_DATA = ("/home/worker", "/var/lib/cw", "/var/lib/cw-broker", "/var/lib/cw-etc")


def install(machine: Machine, words: str = "") -> str:
    return machine.run(
        f"cd /root/claude-workers && deploy/install.sh {words}",
        more=pip_settings() | {"GH_TOKEN": TOKEN},
    )


def cw(machine: Machine, words: str, stdin: str = "") -> str:
    return machine.ssh("worker", f"cw {words}", stdin=stdin)


def begin(machine: Machine, outside: World) -> None:
    install(machine)
    active = machine.run(f"systemctl is-active {' '.join(UNITS)}").split()
    outside.say(f"installed; the units are {active}")
    assert active == ["active"] * len(UNITS)
    shutil.copy(BY_PROXY, machine.root / "etc" / "cw")
    told = outside.environment(f"/etc/cw/{BY_PROXY.name}")
    text = "".join(f'{name}="{value}"\n' for name, value in told.items())
    with (machine.root / _ENVIRONMENT[1:]).open("a", encoding="utf-8") as file:
        file.write(text)
    machine.run("systemctl restart cw-host cw-beat")
    machine.run("cw init 01..02", more={"GH_TOKEN": TOKEN, "ANTHROPIC_API_KEY": API_KEY})
    hosts = json.loads(cw(machine, "hosts --json"))
    assert [one["isolation"] for one in hosts] == ["strict"]


def rehearse_units(machine: Machine, outside: World) -> None:
    said = machine.run("systemd-analyze verify /etc/systemd/system/cw-*.service")
    assert said == "", said
    exposures = {one: exposure(machine, one) for one in UNITS}
    outside.say(f"systemd-analyze: verify is silent, exposures {exposures}")
    assert max(exposures.values()) < _GOOD_EXPOSURE


def exposure(machine: Machine, unit: str) -> float:
    said = machine.run(f"systemd-analyze security --no-pager {unit}")
    found = re.search(r"exposure level for \S+: ([0-9.]+)", said)
    assert found, said
    return float(found[1])


def dispatch(machine: Machine, outside: World, title: str, *, hold: bool = False) -> int:
    number = outside.issue(title, hold=hold)
    cw(machine, f"dispatch -r {REPO} -i {number} -p -", stdin="Mind the 'quotes' and äöü.\n")
    return number


def done(machine: Machine, outside: World, number: int) -> None:
    """Fixed, by one run."""
    wait_until(lambda: outside.fixed(number), 120, lambda: trouble(machine))
    task = wait_until(lambda: recorded(machine, number), 60, lambda: trouble(machine))
    attempts = json.loads(cw(machine, f"show {task} --json"))["attempts"]
    outside.say(f"fixed: #{number}, runs: {len(attempts)}")
    assert len(attempts) == 1


def recorded(machine: Machine, number: int) -> str:
    """The finished task of the issue."""
    rows = json.loads(cw(machine, "history --json"))
    return next((str(one["task"]) for one in rows if one["issue"] == number), "")


def trouble(machine: Machine) -> str:
    return cw(machine, "status") + machine.run("journalctl -n 60 --no-pager -u cw-host")


def rehearse_work(machine: Machine, outside: World) -> None:
    number = dispatch(machine, outside, "Over ssh")
    done(machine, outside, number)
    assert any("Mind the 'quotes' and äöü." in one.text for one in outside.api.requests)


def rehearse_kill(machine: Machine, outside: World) -> None:
    """kill -9 of the host: systemd starts the next one, the agent does not notice."""
    number = dispatch(machine, outside, "Host killed", hold=True)
    outside.at_work(number)
    agents, host = agents_of(machine), main_pid(machine)
    machine.run(f"kill -9 {host}")
    wait_until(lambda: main_pid(machine) not in {0, host}, 30, "the next host")
    wait_until(lambda: is_active(machine), 30, "the next host to consume")
    same_agents(machine, agents)
    outside.say("the host was killed and is back; its agent is the same process")
    outside.release(number)
    done(machine, outside, number)


def rehearse_watchdog(machine: Machine, outside: World) -> None:
    """A host that stands still is replaced."""
    folder = machine.root / "run" / "systemd" / "system" / "cw-host.service.d"
    machine.run(f"mkdir -p /run/systemd/system/{folder.name}")
    machine.run(
        f"printf '[Service]\\nWatchdogSec=8\\n' >/run/systemd/system/{folder.name}/quick.conf"
        " && systemctl daemon-reload && systemctl restart cw-host"
    )
    number = dispatch(machine, outside, "Host frozen", hold=True)
    outside.at_work(number)
    agents, host = agents_of(machine), main_pid(machine)
    machine.run(f"kill -STOP {host}")
    wait_until(lambda: main_pid(machine) not in {0, host}, 60, "the watchdog")
    wait_until(lambda: is_active(machine), 30, "the next host to consume")
    same_agents(machine, agents)
    outside.say("the host was frozen and replaced; its agent is the same process")
    machine.run(f"rm -r /run/systemd/system/{folder.name}; systemctl daemon-reload")
    outside.release(number)
    done(machine, outside, number)


def rehearse_update(machine: Machine, outside: World) -> None:
    """Installing again is an update: the agent at work goes on."""
    number = dispatch(machine, outside, "Updated meanwhile", hold=True)
    outside.at_work(number)
    agents = agents_of(machine)
    install(machine)
    same_agents(machine, agents)
    outside.say("installed again; the agent is the same process")
    outside.release(number)
    done(machine, outside, number)


def rehearse_uninstall(machine: Machine, outside: World, before: list[str]) -> None:
    ends = len(json.loads(cw(machine, "history --json")))
    number = dispatch(machine, outside, "Never finished", hold=True)
    outside.at_work(number)
    install(machine, "--uninstall")
    left = sorted(set(files(machine)) - set(before))
    processes = machine.run("ps -u worker -o pid=,args= || true").split("\n")
    outside.say(f"uninstalled; left besides the data: {left}")
    assert left == []
    assert processes == [""]
    machine.run(" && ".join(f'test -n "$(ls -A {one})"' for one in _DATA))
    install(machine)
    again = len(json.loads(cw(machine, "history --json")))
    outside.say(f"installed again; finished tasks known before and now: {ends}, {again}")
    assert again == ends


def files(machine: Machine) -> list[str]:
    """Where an installation puts things, beside the data."""
    return machine.run(
        "find /opt /usr/local /etc/systemd /etc/cw /etc/apparmor.d /etc/cron* /run/systemd/system"
        " /run/cw-broker -not -type d 2>/dev/null || true"
    ).splitlines()


def main_pid(machine: Machine) -> int:
    return int(machine.run("systemctl show -p MainPID --value cw-host"))


def is_active(machine: Machine) -> bool:
    return machine.run("systemctl is-active cw-host || true").strip() == "active"


def agents_of(machine: Machine) -> list[str]:
    """Process ids of the shims, each of which ends with its agent."""
    return machine.run("pgrep -u worker -f workerhost/shim.py || true").split()


def same_agents(machine: Machine, before: list[str]) -> None:
    now = agents_of(machine)
    assert before, "no agent was at work"
    assert now == before, (before, now, machine.run("ps -u worker -fH") + trouble(machine))


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/rehearse-systemd", description=__doc__)
    parser.add_argument(
        "--cache", type=Path, default=Path.home() / ".cache" / "claude-workers-rehearsal"
    )
    options = parser.parse_args()
    with booted(options.cache) as machine, world("127.0.0.1") as outside:
        copy_checkout(machine.root / "root" / "claude-workers")
        before = files(machine)
        outside.say("a pristine Debian 12 has booted")
        begin(machine, outside)
        rehearse_units(machine, outside)
        rehearse_work(machine, outside)
        rehearse_kill(machine, outside)
        rehearse_watchdog(machine, outside)
        rehearse_update(machine, outside)
        rehearse_uninstall(machine, outside, before)
        assert all(outside.pulls(one) == ["open"] for one in outside.issues[:-1])
        outside.say("every finished issue has its one pull request")


if __name__ == "__main__":
    main()
