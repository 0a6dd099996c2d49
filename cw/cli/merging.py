"""What the commands that merge share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cw.cli.context import Cli
from cw.cli.views.render import duration, note

if TYPE_CHECKING:
    from cw.operations.pulls.merge import Merger


def merger_of(cli: Cli, *, wait: bool) -> Merger:
    """Which tells a terminal what it waits for."""
    from cw.operations.pulls.merge import Merger

    def tell(what: str, seconds: float) -> None:
        if sys.stderr and sys.stderr.isatty():
            note(f"waiting for {what} ({duration(seconds)})")

    return Merger(ways=cli.ways, wait=wait, tell=tell)
