"""What the commands that merge share."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from cw.cli.context import Cli
from cw.cli.views.render import duration, note
from cw.errors import BrokerUnavailableError

if TYPE_CHECKING:
    from cw.operations.pulls.merge import Merger


def merger_of(cli: Cli, *, wait: bool) -> Merger:
    """Which tells a terminal what it waits for."""
    from cw.broker.app import PULLS_TASK, send_tick
    from cw.operations.pulls.merge import Merger

    def tell(what: str, seconds: float) -> None:
        if sys.stderr and sys.stderr.isatty():
            note(f"waiting for {what} ({duration(seconds)})")

    def told() -> None:
        with suppress(BrokerUnavailableError):  # beat has a host look, too
            send_tick(cli.app, PULLS_TASK)

    return Merger(ways=cli.ways, wait=wait, tell=tell, told=told)
