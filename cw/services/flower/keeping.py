"""Looks at the records every few seconds, beside Flower's event loop."""

from __future__ import annotations

import logging
from typing import Any

from cw.errors import CwError
from cw.services.flower.listing import Listing, RecordReader
from cw.store.store import Store

log = logging.getLogger("cw.services.flower")

_EVERY_MS = 2000


def keep_listing(flower: Any, store: Store) -> None:
    """From now on, as long as Flower runs."""
    from tornado.ioloop import PeriodicCallback

    reader, listing = RecordReader(store), Listing(flower.events.state)

    async def look() -> None:
        try:
            listing.show(await flower.io_loop.run_in_executor(None, reader.read))
        except CwError as error:
            log.warning("the list is not brought up to date: %s", error)

    flower.io_loop.add_callback(look)
    # A look that takes longer than the pause holds back the next.
    PeriodicCallback(look, _EVERY_MS).start()
