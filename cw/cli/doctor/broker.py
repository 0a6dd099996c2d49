"""What `cw doctor` finds at the broker, and of the host as the broker knows it."""

from __future__ import annotations

from collections.abc import Iterator

from cw.broker.address import exposed
from cw.check import Check, State
from cw.cli.context import Cli
from cw.errors import CwError, NotStartedError
from cw.services import appendonly, trouble
from cw.settings import Settings


def broker_checks(cli: Cli) -> Iterator[Check]:
    try:
        cli.store.ping()
        warnings = cli.store.server_warnings()
        hosts, now = cli.store.fleet.hosts(), cli.store.tasks.now()
    except CwError as error:
        why = "" if cli.settings.broker_url else trouble.read(cli.settings).get("broker", "")
        if isinstance(error, NotStartedError) and not why:
            yield Check("broker", "next", "not started yet", "cw up -d, or set CW_BROKER_URL")
            return
        text = f"{error.message}: {why}" if why else error.message
        yield Check("broker", "fail", text, error.hint)
        return
    yield Check("broker", "ok", "answers")
    yield from damage_checks(cli.settings)
    missing = exposed(cli.settings.broker_url)
    if missing:
        text = f"{missing} (CW_BROKER_INSECURE=1): whoever is on its network steers agents"
        yield Check("broker", "warn", text, "rediss://USER:PASSWORD@HOST in CW_BROKER_URL")
    from cw.operations.reconciliation.unreadable_records import look_at_all
    from cw.store.unreadable import HOW_TO_MEND

    for record in look_at_all(cli.store):
        yield Check("records", "warn", f"{record.what} cannot be read: {record.why}", HOW_TO_MEND)
    for text in warnings:
        about, _, fix = text.partition(" (redis.conf: ")
        yield Check("broker", "warn", about, f"redis.conf: {fix.removesuffix(')')}" if fix else "")
    name = cli.settings.host_name
    mine = next((host for host in hosts if host.name == name), None)
    if mine and mine.up(now):
        state: State = "fail" if mine.unfit else "warn" if mine.warning else "ok"
        yield Check("host", state, mine.warning or f"{name} runs, with {mine.workers} workers")
    else:
        why = trouble.read(cli.settings).get("host", "")
        yield Check(
            "host", "warn", f"none is running on {name}{f': {why}' if why else ''}", "cw up"
        )


def damage_checks(settings: Settings) -> Iterator[Check]:
    """What was put aside of the private broker's files; nobody else takes it away."""
    for kept in appendonly.kept(settings.state_dir / "broker"):
        fix = f"When nothing is missing in cw status: rm -r {kept}"
        yield Check("broker files", "warn", f"they were damaged; as they were: {kept}", fix)
