"""`python -m cw.services.background`: the supervisor behind `cw up -d`, and how to start it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import click

from cw.errors import CwError
from cw.services import record, restart_policy, trouble
from cw.services.catalog import catalog
from cw.services.files import log_file, private_folder, tail
from cw.services.processes import ProcessMark, mark, terminate
from cw.services.restart_policy import Startup
from cw.services.supervisor import supervise
from cw.settings import Settings, load_settings

START_SECONDS = 60.0
STOP_SECONDS = 60.0

COMMAND = (sys.executable, "-P", "-m", "cw.services.background")


def start(
    settings: Settings,
    *,
    show: Callable[[str], None],
    command: Sequence[str] = COMMAND,
    limit: float = START_SECONDS,
) -> None:
    """Return when every service is ready; else stop them, show why and raise CwError."""
    logs = private_folder(private_folder(settings.state_dir) / "logs")
    with log_file(logs / "up.log") as output:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        blamed = _wait_until_ready(settings, child, limit)
    except BaseException:  # Ctrl-C as well: nobody wants a half-started fleet
        _end(child)
        raise
    if blamed is not None:
        _end(child)
        log = logs / f"{blamed or 'up'}.log"
        for line in tail(log):
            show(line)
        why = trouble.read(settings).get(blamed, "")
        raise CwError(
            f"{blamed or 'cw up'} did not start, and everything was stopped again",
            hint=why or f"Why is above and in {log}",
        )


def _wait_until_ready(
    settings: Settings, child: subprocess.Popen[bytes], limit: float
) -> str | None:
    """The service to blame, or None when all are ready."""
    begin = time.monotonic()
    while True:
        found = record.read(settings)
        seen = found.seen() if found and found.supervisor.pid == child.pid else []
        result, blamed = restart_policy.verdict(
            seen,
            supervisor_alive=child.poll() is None,
            waited=time.monotonic() - begin,
            limit=limit,
        )
        if result is not Startup.WAIT:
            return blamed if result is Startup.FAILED else None
        time.sleep(0.1)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()  # what it leaves is found by the next start


def stop(
    supervisor: ProcessMark, *, limit: float = STOP_SECONDS, waiting: Callable[[float], None]
) -> bool:
    """Ask a running supervisor to stop. `waiting` is called now and then. False: it still runs."""
    begin = time.monotonic()
    terminate(supervisor)
    while mark(supervisor.pid) == supervisor:
        waited = time.monotonic() - begin
        if waited > limit:
            return False
        waiting(waited)
        time.sleep(0.1)
    return True


def main(argv: Sequence[str]) -> int:
    try:
        settings = load_settings(os.environ)[0]
        services = [service for service in catalog(settings) if f"--no-{service.name}" not in argv]
        supervise(settings, services, say=_say, all_ready=lambda: _say("everything runs"))
    except CwError as error:
        _say(error.line())
        return error.exit_code
    return 0


def _say(line: str) -> None:
    click.echo(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
