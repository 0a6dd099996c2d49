"""`python -m tests.rehearsals.compose`: docker-compose.yml on a real engine, struck at and counted.

The engine is the one that DOCKER_HOST names, on this machine. Containers, volumes and networks get
a project name of their own and are removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.rehearsals.stack import BACK_SECONDS, SERVICES, Stack, bridge_address
from tests.rehearsals.world import World, copy_checkout, world
from tests.waiting import wait_until

GOAL_MB = 250


def begin(stack: Stack, outside: World) -> None:
    stack.run("deploy/setup")
    options = {
        "CW_PROJECT": stack.project,
        "COMPOSE_PROFILES": "fleet,public",
        "CW_FLOWER_PORT": "0",
        "CW_HTTP_PORT": "0",
        "CW_HTTPS_PORT": "0",
        "CW_IMAGE": f"{stack.project}:rehearsal",
        "COMPOSE_FILE": "docker-compose.yml:tests/rehearsals/compose.yml",
    }
    with (stack.folder / ".env").open("a", encoding="utf-8") as file:
        file.writelines(f"{name}={text}\n" for name, text in options.items())
    told = "".join(
        f"{name}={text}\n"
        for name, text in outside.environment("/opt/standins/localhost_by_proxy.sh").items()
    )
    (stack.folder / "rehearsal.env").write_text(told, encoding="utf-8")
    stack.compose("up", "-d", "--build", "--wait")
    size = int(stack.run("docker", "image", "inspect", "-f", "{{.Size}}", options["CW_IMAGE"]))
    outside.say(f"up and healthy; the image has {size / 1e6:.0f} MB")
    stack.cw("init", "01..03")
    wait_until(lambda: idle(stack) == 3, 60, "three idle workers")


def idle(stack: Stack) -> int:
    status = json.loads(stack.cw("status", "--json"))
    return sum(one["state"] == "idle" for one in status["workers"])


def memory(stack: Stack, outside: World) -> None:
    """Of all services together, without agents: shared pages are counted once."""
    total = 0.0
    for service in SERVICES:
        pids = stack.run("docker", "top", stack.container(service), "-o", "pid").split()[1:]
        kib = sum(_pss_kib(int(pid)) for pid in pids)
        outside.say(f"idle memory of {service}: {kib / 1024:.0f} MB")
        total += kib / 1024
    outside.say(f"idle memory of all services: {total:.0f} MB (goal: below {GOAL_MB})")
    assert total < GOAL_MB


def _pss_kib(pid: int) -> int:
    """Zero for what ended in between: a health check."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next(int(row.split()[1]) for row in rows if row.startswith("Pss:"))


def dispatch(stack: Stack, outside: World, title: str, seconds: int = 0, stdin: str = "") -> int:
    number = outside.issue(title, seconds)
    said = ["-p", "-"] if stdin else []
    stack.cw("dispatch", "-r", "acme/app", "-i", str(number), *said, stdin=stdin)
    return number


def done(stack: Stack, outside: World, *numbers: int) -> None:
    for number in numbers:
        wait_until(
            lambda number=number: outside.fixed(number) and recorded(stack, number),  # type: ignore[misc]
            180,
            lambda: stack.cw("status") + stack.cw("history") + stack.logs(),
        )
    outside.say(f"fixed: {', '.join(f'#{one}' for one in numbers)}")


def recorded(stack: Stack, number: int) -> bool:
    ends = json.loads(stack.cw("history", "--json"))
    return any(one["issue"] == number for one in ends)


def rehearse_work(stack: Stack, outside: World) -> None:
    first = dispatch(stack, outside, "Plain")
    second = dispatch(stack, outside, "With a prompt", stdin="Mind the äöü and 'quotes'.\n")
    done(stack, outside, first, second)
    assert any("Mind the äöü and 'quotes'." in one.text for one in outside.api.requests)


def rehearse_web(stack: Stack, outside: World) -> None:
    """Flower through Caddy: TLS, the password, and nothing that asks for none."""
    port = stack.compose("port", "caddy", "443").strip().rpartition(":")[2]
    url = f"https://localhost:{port}"
    user = f"cw:{(stack.folder / 'deploy/secrets/flower_password').read_text(encoding='ascii')}"
    seen = [
        stack.run("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", *more)
        for more in ([url], [f"{url}/metrics"], ["-u", user, url])
    ]
    outside.say(f"Flower on the web: without password, its metrics, with password: {seen}")
    assert seen == ["401", "404", "200"]


def rehearse_kills(stack: Stack, outside: World) -> None:
    """kill -9 of each service's process; Docker has to bring it back by itself."""
    number = dispatch(stack, outside, "Host killed", 8)
    outside.at_work(number)
    for service in ("workerhost", "redis", "beat", "flower"):
        before = stack.inspect(service, "{{.RestartCount}}")
        os.kill(stack.main_process(service), 9)
        wait_until(
            lambda s=service, b=before: stack.inspect(s, "{{.RestartCount}}") != b,  # type: ignore[misc]
            BACK_SECONDS,
            f"{service} to be started again",
        )
        outside.say(f"{service} was killed inside and is back")
    stack.back()
    done(stack, outside, number)


def rehearse_lost_containers(stack: Stack, outside: World) -> None:
    """`docker kill` is somebody's wish, so nothing comes back before `up`."""
    number = dispatch(stack, outside, "Containers killed", 8)
    outside.at_work(number)
    stack.run("docker", "kill", *map(stack.container, SERVICES))
    stack.compose("up", "-d", "--wait")
    outside.say("all containers were killed and brought up again")
    done(stack, outside, number)


def rehearse_stop(stack: Stack, outside: World) -> None:
    """A stop in good order charges the task no attempt."""
    number = dispatch(stack, outside, "Host stopped", 8)
    outside.at_work(number)
    stack.compose("restart", "workerhost")
    stack.back()
    done(stack, outside, number)
    task = next(one for one in json.loads(stack.cw("history", "--json")) if one["issue"] == number)
    shown = json.loads(stack.cw("show", task["task"], "--json"))
    reasons = [one["outcome"]["reason"] for one in shown["attempts"] if one["outcome"]]
    outside.say(f"the host was stopped in good order; how the runs ended: {reasons}")
    assert reasons == ["interrupted", "done"]


def rehearse_engine(stack: Stack, outside: World, restart: str) -> None:
    number = dispatch(stack, outside, "Engine restarted", 8)
    outside.at_work(number)
    subprocess.run(shlex.split(restart), check=True, timeout=300, stdin=subprocess.DEVNULL)
    wait_until(lambda: _answers(stack), 60, "the engine")
    stack.back()
    outside.say("the engine was restarted")
    done(stack, outside, number)


def _answers(stack: Stack) -> bool:
    try:
        return bool(stack.run("docker", "version", "-f", "{{.Server.Version}}"))
    except AssertionError:
        return False


def rehearse(stack: Stack, outside: World, restart: str) -> None:
    begin(stack, outside)
    memory(stack, outside)
    rehearse_work(stack, outside)
    rehearse_web(stack, outside)
    rehearse_kills(stack, outside)
    rehearse_lost_containers(stack, outside)
    rehearse_stop(stack, outside)
    rehearse_engine(stack, outside, restart)
    ends = json.loads(stack.cw("history", "--json"))
    counted = {number: outside.pulls(number) for number in outside.issues}
    outside.say(f"pull requests by issue: {counted}")
    assert counted == {number: ["open"] for number in outside.issues}
    assert sorted(one["issue"] for one in ends) == outside.issues
    assert {one["outcome"]["kind"] for one in ends} == {"succeeded"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/rehearse-compose", description=__doc__)
    parser.add_argument(
        "--restart-engine", default="systemctl restart docker", metavar="COMMAND", help="how"
    )
    parser.add_argument("--keep", action="store_true", help="leave everything running")
    options = parser.parse_args()
    room = Path(tempfile.mkdtemp(prefix="cw-rehearsal-"))
    stack = Stack(room / "checkout", f"cwr{secrets.token_hex(3)}")
    copy_checkout(stack.folder)
    try:
        with world(bridge_address()) as outside:
            rehearse(stack, outside, options.restart_engine)
            outside.say("every issue has its one pull request")
    finally:
        if options.keep:
            print(f"Kept: {stack.folder}")
        else:
            stack.compose("down", "-v", "--rmi", "local", "--timeout", "60")
            shutil.rmtree(room)


if __name__ == "__main__":
    main()
