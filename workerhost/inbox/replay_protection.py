"""Each message is acted on once, however often it arrives."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from cw.broker.signed_transport import seal_of
from cw.errors import BrokerUnavailableError, CwError
from cw.store.store import Store
from workerhost.inbox.admission import is_control

log = logging.getLogger("workerhost.tickets")

Body = Callable[..., Any]
_BEFORE = "it was acted on before"


class ReplayProtection:
    """Remembers here and at the broker: here, because who can write there can delete there; there,
    because hosts share queues and are started again. Thread-safe.
    """

    def __init__(self, store: Store, host: str) -> None:
        self._store = store
        self._host = host
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}  # nonce -> when it is refused for its age

    def once(self, body: Body, otherwise: Body = lambda *_: None) -> Body:
        """The body as a bound Celery task. `otherwise`: instead of a body that is not run."""

        def call(task: Any, *args: Any) -> Any:
            try:
                if self.burn(*seal_of(task.request)):
                    return body(*args)
                why = _BEFORE
            except BrokerUnavailableError as error:
                why = error.message
            log.warning("message refused task=%s: %s", task.name, why)
            otherwise(*args)
            return f"refused: {why}"

        return call

    def control(self, message: dict[str, Any], queue: str) -> str:
        """Why a control command is refused that is good otherwise. Each host burns it for itself:
        all of them hear it. Messages of tasks are burned when their body begins.
        """
        if not is_control(queue):
            return ""
        nonce, until = seal_of(message["headers"])
        try:
            return "" if self.burn(f"{nonce}:{self._host}", until) else _BEFORE
        except CwError as error:
            return error.message

    def burn(self, nonce: str, until: float) -> bool:
        """False: acted on before. `until`: epoch seconds. Raises BrokerUnavailableError."""
        now = time.time()
        with self._lock:
            if nonce in self._seen:
                return False
            self._seen = {known: end for known, end in self._seen.items() if end > now}
            self._seen[nonce] = until
        return self._store.locks.burn(nonce, until - now)
