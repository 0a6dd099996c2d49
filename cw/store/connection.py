"""One connection to Redis or Valkey, with its errors in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from cw.address import when_silent
from cw.errors import BadInputError, BrokerUnavailableError, CwError
from cw.keyring import Keyring

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 10.0


class Connection:
    """A client and the scripts of this package. Safe to share between threads."""

    def __init__(
        self, url: str, keyring: Keyring | None = None, patience: float | None = None
    ) -> None:
        """`keyring`: for what is signed or checked. `patience`: seconds for each answer, where
        nobody wants to wait for the usual time.
        """
        self.url = url
        self._keyring = keyring
        try:
            self.client: Any = redis.Redis.from_url(
                url,
                decode_responses=True,
                socket_connect_timeout=patience or _CONNECT_SECONDS,
                socket_timeout=patience or _ANSWER_SECONDS,
                health_check_interval=30,
                # A connection gone stale is opened again once. A silent server is not asked again:
                # a lease's holder must not wait several times as long as it thinks.
                retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            )
        except ValueError as error:  # its text quotes the URL, password and all
            raise BadInputError(
                "CW_BROKER_URL (or broker_url) is no address of a broker",
                hint="Use for example redis://127.0.0.1:6379/0, rediss:// or unix:///path",
            ) from error
        self._scripts: dict[str, Script] = {}

    @property
    def keyring(self) -> Keyring:
        if self._keyring is None:
            raise RuntimeError("this connection was opened to look only")
        return self._keyring

    def run(self, name: str, keys: list[str], args: list[Any]) -> Any:
        """Run `scripts/<name>.lua`: one atomic change. Raises BrokerUnavailableError."""
        with self.errors():
            return self._script(name)(keys=keys, args=args)

    @contextmanager
    def errors(self) -> Iterator[Any]:
        """The client; its errors leave as ours."""
        try:
            yield self.client
        except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
            raise BrokerUnavailableError(
                f"the broker does not answer ({_reason(error)})",
                hint=when_silent(self.url),
            ) from error
        except redis.RedisError as error:
            raise CwError(
                f"the broker refused: {error}", hint="cw doctor checks its configuration"
            ) from error

    def _script(self, name: str) -> Script:
        if name not in self._scripts:
            text = files("cw.store").joinpath("scripts", f"{name}.lua").read_text("utf-8")
            self._scripts[name] = self.client.register_script(text)
        return self._scripts[name]

    def close(self) -> None:
        self.client.close()


def _reason(error: Exception) -> str:
    """The error without the address: a URL may carry the password."""
    if isinstance(error, redis.AuthenticationError):
        return "wrong password"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate is not to be trusted"
    if isinstance(error, redis.TimeoutError):
        return "timed out"
    return "connection refused or lost"
