"""What `cw doctor` says of accounts: tokens whose year is nearly over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from cw.accounts.lifetime import SINCE_VARIABLE, given_day
from cw.check import Check
from cw.cli.context import Cli
from cw.credentials.agentenv import own_variables
from cw.errors import CwError
from cw.homes.layout import homes


def account_checks(cli: Cli) -> Iterator[Check]:
    yield from _days(cli)
    yield from _ends(cli)


def _days(cli: Cli) -> Iterator[Check]:
    """What was typed and does not count."""
    now = datetime.now(UTC)
    for home in homes(cli.settings.workers_root):
        given = own_variables(home)
        if SINCE_VARIABLE in given and given_day(given, now) is None:
            text = f"{SINCE_VARIABLE} is no day that there was, and does not count"
            fix = f"Set it in {home.zshenv} as YYYY-MM-DD, or take it out"
            yield Check(f"worker {home.id} account", "warn", text, fix, worker=home.id)


def _ends(cli: Cli) -> Iterator[Check]:
    """Of the whole fleet, as its hosts told it."""
    from cw.operations.views.accounts import account_rows

    try:
        workers, now = cli.store.fleet.workers(), cli.store.tasks.now()
        accounts = cli.store.accounts.read(worker.account for worker in workers)
    except CwError:  # which the broker's own check says
        return
    for row in account_rows(accounts, workers, now, {}):
        if row.ending:
            yield Check(f"account {row.name}", "warn", row.ending, row.renew)
