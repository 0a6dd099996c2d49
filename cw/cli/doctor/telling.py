"""What `cw doctor` says of what leaves for others: addresses of notices, and what was not taken."""

from __future__ import annotations

from collections.abc import Iterator

from cw.check import Check
from cw.cli.context import Cli
from cw.errors import CwError


def telling_checks(cli: Cli) -> Iterator[Check]:
    yield from _addresses(cli)
    yield from _undelivered(cli)


def _addresses(cli: Cli) -> Iterator[Check]:
    """By their form: nothing is sent."""
    from cw.notices.addresses import parse
    from cw.operations.fleet.notifiers import unusable

    for address in map(parse, cli.settings.notify_to):
        why = unusable(address, cli.settings.notify_secret)
        if why:
            yield Check("notices", "fail", f"{address.name}: {why}", "See docs/notices.md")
        else:
            yield Check("notices", "ok", f"{address.name}; try it: cw notify test")


def _undelivered(cli: Cli) -> Iterator[Check]:
    from cw.cli.views.undelivered import label_of
    from cw.operations.control.outbox import set_aside
    from cw.operations.fleet.hosts import trouble_words

    try:
        rows = set_aside(cli.store)
        hosts = cli.store.fleet.hosts()
    except CwError:
        return
    for host in hosts:
        if host.late:
            yield Check("outbox", "warn", f"host {host.name}: {host.late}")
        for trouble in host.trouble_list():
            fix = f"Report it with the lines of the log of {host.name} that name it"
            yield Check(f"host {host.name}", "warn", trouble_words(trouble), fix)
    if rows:
        last = rows[-1]
        text = f"{len(rows)} set aside; the last, {last.kind} on {label_of(last)}:"
        yield Check("outbox", "fail", f"{text} {last.reason}", "cw outbox")
