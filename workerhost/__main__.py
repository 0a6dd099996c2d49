"""`python -m workerhost`: the host process."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import sys
from typing import IO, Any

from celery import signals
from celery.worker.control import Panel

from cw import sdnotify
from cw.broker.app import (
    ASK_TASK,
    ASSIGN_TASK,
    PULLS_TASK,
    RECONCILE_TASK,
    RUN_TASK,
    SWEEP_TASK,
)
from cw.credentials.known import LogRedactor
from cw.errors import BadInputError, CwError
from cw.homes.layout import LOCK
from cw.settings import Settings, load_settings
from workerhost import periodic_tasks, self_checks
from workerhost.host import Host
from workerhost.inbox import remote_control
from workerhost.inbox.admission import CONTROLS

_THREADS = 256  # started as needed; more identities than this share a machine badly


def main() -> int:
    os.umask(0o077)
    try:
        settings, _ = load_settings(os.environ, warn=_say)
        _log_to_stderr(settings)
        lock = _only_one(settings)
        with lock:
            host = Host(settings, os.environ)
            try:
                signal.signal(signal.SIGTERM, lambda *_: _leave_early(host))
                host.start()
                return _consume(host)
            except SystemExit:
                return host.leave()
    except CwError as error:
        _say(error.line())
        return error.exit_code


def _say(text: str) -> None:
    sys.stderr.write(f"workerhost: {text}\n")


def _leave_early(host: Host) -> None:
    """Until Celery has handlers of its own; a host that was told to end has not died."""
    host.leaving.asked()
    raise SystemExit


class _Clean(logging.Formatter):
    """Tracebacks and libraries say what they like; secrets are not for a log."""

    def __init__(self, redact: LogRedactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


def _log_to_stderr(settings: Settings) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Clean(LogRedactor(settings, os.environ)))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _only_one(settings: Settings) -> IO[str]:
    """Two hosts on one set of HOMEs would each think the runs are theirs. So the lock lies with the
    HOMEs, whatever the state folder is.
    """
    try:
        settings.workers_root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (settings.workers_root / LOCK).open("w")
    except OSError as error:
        raise BadInputError(
            f"{settings.workers_root} cannot be used: {error.strerror}",
            hint="CW_WORKERS_ROOT must be a folder that this user may write to",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise BadInputError(
            f"a host already runs for {settings.workers_root}",
            hint="cw status shows it; cw down stops it",
        ) from None
    return lock


def _consume(host: Host) -> int:
    """Celery's consumer, until a signal. Returns its exit code."""
    _tasks(host)
    _listen(host)
    for name in set(Panel.data) - CONTROLS:
        del Panel.data[name]
    if why := self_checks.controls_left():
        raise CwError(why)
    worker = host.app.Worker(
        hostname=f"cw@{host.settings.host_name}",
        pool_cls="threads",
        concurrency=_THREADS,
        queues=host.consumer.queues(),
        loglevel="INFO",
        without_mingle=True,
        without_gossip=True,
        task_events=False,  # its heartbeats are sent all the same
        optimization="fair",
    )
    worker.start()
    return host.leave() or int(worker.exitcode or 0)


def _tasks(host: Host) -> None:
    app = host.app
    app.Task.send_events = False  # Flower lists records, not messages

    def run(task_id: str) -> str:
        return host.hints.run(task_id)

    bodies = {
        RUN_TASK: host.tickets.once(run, otherwise=host.hints.pass_over),
        SWEEP_TASK: host.tickets.once(lambda: str(host.sweep())),
        ASK_TASK: host.tickets.once(host.answer),
        ASSIGN_TASK: host.tickets.once(lambda: periodic_tasks.assign_tick(app, host.ctx)),
        RECONCILE_TASK: host.tickets.once(lambda: periodic_tasks.reconcile_tick(app, host.ctx)),
        PULLS_TASK: host.tickets.once(lambda: periodic_tasks.pulls_tick(app, host.ctx)),
    }
    for name, body in bodies.items():
        app.task(name=name, bind=True)(body)
    remote_control.register(host.revoker())
    app.finalize()


def _listen(host: Host) -> None:
    def received(sender: Any, request: Any, **_: Any) -> None:
        queue = str(request.delivery_info.get("routing_key", ""))
        task_id = str(request.args[0]) if request.args else ""
        host.consumer.on_message(sender, request.name, task_id, queue)

    signals.task_received.connect(received, weak=False)

    def ready(sender: Any, **_: Any) -> None:
        host.consumer.ready(sender)
        sdnotify.notify(os.environ, sdnotify.READY)

    signals.worker_ready.connect(ready, weak=False)
    signals.worker_shutting_down.connect(lambda **_: host.leaving.asked(), weak=False)


if __name__ == "__main__":
    sys.exit(main())
