"""`python -m cw.services.health host|beat|flower`: whether that service does its work here.

For containers, where no `cw up` looks after them. One line, and exit status 0 or 1.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from cw.broker.address import broker_url
from cw.errors import BadInputError, CwError
from cw.services.catalog import beat_pid_file, flower_ready
from cw.services.processes import mark
from cw.settings import Settings, load_settings
from cw.store.store import Store, open_store

_PATIENCE = 5.0  # seconds for an answer of the broker


def host(settings: Settings) -> str:
    """Empty, or what is wrong: its heartbeat is in the store, fresh, and names no trouble."""
    store = open_store(broker_url(settings), patience=_PATIENCE)
    try:
        return _host(store, settings.host_name)
    finally:
        store.connection.close()


def _host(store: Store, name: str) -> str:
    now = store.tasks.now()
    mine = next((known for known in store.fleet.hosts() if known.name == name), None)
    if mine is None or mine.seen_at is None:
        return f"no heartbeat of {name}"
    if not mine.up(now):
        return f"the last heartbeat of {name} is {(now - mine.seen_at).total_seconds():.0f} s old"
    return mine.unfit


def beat(settings: Settings) -> str:
    """Its process lives, and a beat of the fleet holds the short lock that each tick renews."""
    pid = beat_pid_file(settings)
    if not pid.exists() or mark(int(pid.read_text(encoding="utf-8"))) is None:
        return "beat does not run"
    if not settings.broker_url:
        return ""  # the only beat there is, and without a lock
    store = open_store(broker_url(settings), patience=_PATIENCE)
    try:
        return "" if store.locks.beat_ticks() else "no beat of the fleet ticks"
    finally:
        store.connection.close()


def flower(settings: Settings) -> str:
    if not settings.flower_port:
        return ""  # none is wanted
    try:
        answers = flower_ready(settings)
    except OSError as error:
        return f"Flower does not answer: {error}"
    return "" if answers else "Flower does not listen"


CHECKS: dict[str, Callable[[Settings], str]] = {"host": host, "beat": beat, "flower": flower}


def main(argv: list[str]) -> int:
    try:
        if len(argv) != 1 or argv[0] not in CHECKS:
            raise BadInputError(f"one of {', '.join(CHECKS)} is wanted")
        wrong = CHECKS[argv[0]](load_settings(os.environ)[0])
    except CwError as error:
        print(error.line(), file=sys.stderr)  # noqa: T201 - what docker inspect shows
        return 1
    print(wrong or "healthy")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
