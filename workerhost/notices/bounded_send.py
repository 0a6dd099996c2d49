"""A notifier's `send`, for so long and no longer: it may be anybody's code."""

from __future__ import annotations

import threading

from cw.errors import NotSentError
from cw.notices.notice import Notice, Notifier

_SECONDS = 60.0  # more than each of ours takes by its own bounds


class BoundedSend:
    """Of all addresses. For one thread. One that does not return is left where it hangs, and its
    address gets nothing meanwhile.
    """

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._hanging: dict[str, threading.Thread] = {}

    def __call__(self, name: str, notifier: Notifier, notice: Notice) -> None:
        """Raises what `send` raises, or NotSentError."""
        before = self._hanging.pop(name, None)
        if before and before.is_alive():
            self._hanging[name] = before
            raise NotSentError("its notifier hangs since the notice before")
        failed: list[Exception] = []
        thread = threading.Thread(
            target=_send, args=(notifier, notice, failed), name="notifier", daemon=True
        )
        thread.start()
        thread.join(self._seconds)
        if thread.is_alive():
            self._hanging[name] = thread
            raise NotSentError(f"its notifier did not return within {self._seconds:.0f} s")
        if failed:
            raise failed[0]


def _send(notifier: Notifier, notice: Notice, failed: list[Exception]) -> None:
    try:
        notifier.send(notice)
    except Exception as error:  # noqa: BLE001  raised again where it is waited for
        failed.append(error)
