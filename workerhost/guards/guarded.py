"""Whether a host's guards hold: without that it takes nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cw.errors import CwError
from cw.keyring import load_keyring
from workerhost.guards import libraries, messages

if TYPE_CHECKING:
    from celery import Celery

    from cw.settings import Settings

_AGAIN_SECONDS = 60.0


class Guarded:
    """Asked once, and again every minute while they do not hold. `unfit`: why nothing starts."""

    def __init__(self, app: Celery, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._looked_at: float | None = None
        self.unfit = ""

    def look(self) -> None:
        recent = self._looked_at is not None and (
            not self.unfit or time.monotonic() - self._looked_at < _AGAIN_SECONDS
        )
        if recent:
            return
        self.unfit = weak_guard(self._app, self._settings)
        self._looked_at = time.monotonic()


def weak_guard(app: Celery, settings: Settings) -> str:
    """The first that does not hold, or why that could not be found out; empty when all do."""
    try:
        return (
            libraries.unguarded(app, settings)
            or messages.unknown_to_kombu()
            or messages.believed(app, load_keyring(settings), settings.host_name)
        )
    except CwError as error:
        return f"its guards could not be looked at: {error.line()}"
    except Exception as error:  # noqa: BLE001  whatever a library of another version raises
        return f"its guards could not be looked at: {type(error).__name__}: {str(error)[:200]}"
