"""An App's tokens end after an hour, and runs may take longer: they get new ones."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from cw.errors import BrokerUnavailableError
from cw.homes.layout import Home
from workerhost.github.token_access import Access
from workerhost.shutdown import Leaving
from workerhost.unexpected_errors import Troubles

_LOOK_SECONDS = 5.0


class TokenLender:
    """`homes`: the host's, as they come and go."""

    def __init__(
        self, access: Access, homes: Mapping[str, Home], leaving: Leaving, troubles: Troubles
    ) -> None:
        self._access = access
        self._homes = homes
        self._leaving = leaving
        self._troubles = troubles

    def start(self) -> None:
        threading.Thread(target=self._forever, name="tokens", daemon=True).start()

    def _forever(self) -> None:
        while not self._leaving.detach.wait(_LOOK_SECONDS):
            for home in list(self._homes.values()):
                with suppress(BrokerUnavailableError):
                    self._troubles.run("tokens", partial(self._access.lend_again, home), home.id)
