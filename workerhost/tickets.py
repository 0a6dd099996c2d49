"""Each message is acted on once, however often it arrives."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from cw.errors import BrokerUnavailableError
from cw.store.store import Store
from cw.wire import seal_of

log = logging.getLogger("workerhost.tickets")

Body = Callable[..., Any]


class Tickets:
    """Remembers here and at the broker: here, because who can write there can delete there; there,
    because hosts share queues and are started again. Thread-safe.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}  # nonce -> when it is refused for its age

    def once(self, body: Body, otherwise: Body = lambda *_: None) -> Body:
        """The body as a bound Celery task. `otherwise`: instead of a body that is not run."""

        def call(task: Any, *args: Any) -> Any:
            try:
                if self.burn(*seal_of(task.request)):
                    return body(*args)
                why = "it was acted on before"
            except BrokerUnavailableError as error:
                why = error.message
            log.warning("message refused task=%s: %s", task.name, why)
            otherwise(*args)
            return f"refused: {why}"

        return call

    def burn(self, nonce: str, until: float) -> bool:
        """False: acted on before. `until`: epoch seconds. Raises BrokerUnavailableError."""
        now = time.time()
        with self._lock:
            if nonce in self._seen:
                return False
            self._seen = {one: end for one, end in self._seen.items() if end > now}
            self._seen[nonce] = until
        return self._store.locks.burn(nonce, until - now)
