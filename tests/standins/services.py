"""`python -m tests.standins.services up [NAME...]`: `cw up` with a small host in place of ours.

`host` is that host: it beats. `broken` ends at once. With names only those services are run.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import click

from cw.broker.address import broker_url
from cw.errors import CwError
from cw.fleet_models import Host
from cw.services.catalog import Service, catalog
from cw.services.supervisor import supervise
from cw.settings import Settings, load_settings
from cw.store.store import open_store
from tests.mutants import take_out

ME = (sys.executable, "-m", "tests.standins.services")


def up(settings: Settings, names: list[str]) -> int:
    broken = "broken" in names
    services = [_stand_in(one, broken) for one in catalog(settings)]
    chosen = [one for one in services if one.name in names or not set(names) - {"broken"}]
    try:
        supervise(settings, chosen, say=_say, all_ready=lambda: _say("everything runs"))
    except CwError as error:
        _say(error.line())
        return error.exit_code
    return 0


def host(settings: Settings) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    store = open_store(broker_url(settings))
    while True:
        try:
            store.fleet.beat(Host(name=settings.host_name, pid=os.getpid()), datetime.now(UTC))
        except CwError:
            _say("the broker is away")
        time.sleep(0.2)


def _stand_in(service: Service, broken: bool) -> Service:
    if service.name != "host":
        return service
    return replace(service, command=(*ME, "broken" if broken else "host"))


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()


def main(argv: list[str]) -> int:
    take_out()
    if argv[0] == "broken":
        _say("no claude was found")
        return 1
    settings = load_settings(os.environ)[0]
    return host(settings) if argv[0] == "host" else up(settings, argv[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
