"""One connection to Redis or Valkey, with its errors in our words."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from cw.broker.address import when_silent, when_stuck
from cw.errors import BadInputError, BrokerUnavailableError, CwError, UnreadableError
from cw.keyring import Keyring
from cw.store import keys
from cw.store.unreadable import HOW_TO_MEND, Unreadables

_CONNECT_SECONDS = 5.0
_SILENT_SECONDS = 1.0  # until a person is told what is waited for
_ANSWER_SECONDS = 10.0
# Functions that a script has before it begins.
_PARTS = {
    "acquire": ("_budgets",),
    "draw": ("_budgets",),
    "heard": ("_holds",),
    "resume": ("_holds",),
}
_ASIDE = "aside"  # the one script that is for keys of a wrong type
ASIDE_MS = 30 * 24 * 3600 * 1000

T = TypeVar("T")


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
                # One byte that is no UTF-8 must not end the answer for all the others. It comes as
                # a lone surrogate, which no record of ours has, and goes back as it was.
                encoding_errors="surrogateescape",
                socket_connect_timeout=patience or _CONNECT_SECONDS,
                socket_timeout=patience or _ANSWER_SECONDS,
                health_check_interval=30,
                # A connection gone stale is opened again once. A silent server is not asked again:
                # a lease's holder must not wait several times as long as it thinks.
                retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            )
        except ValueError as error:  # its text quotes the URL, password and all
            raise BadInputError(
                "CW_BROKER_URL (or broker.url) is no address of a broker",
                hint="Use for example redis://127.0.0.1:6379/0, rediss:// or unix:///path",
            ) from error
        self._seconds = patience or _ANSWER_SECONDS
        self._heard = False
        self.slow: Callable[[], None] | None = None  # called when the first answer takes long
        self._scripts: dict[str, Script] = {}
        self.unreadable = Unreadables()

    @property
    def keyring(self) -> Keyring:
        if self._keyring is None:
            raise RuntimeError("this connection was opened to look only")
        return self._keyring

    def run(self, name: str, keys: list[str], args: list[Any]) -> Any:
        """Run `scripts/<name>.lua`: one atomic change. Raises BrokerUnavailableError."""
        with self.errors():
            return self._script(name)(keys=keys, args=args)

    def ask(self, key: str, what: str, call: Callable[[Any], T], otherwise: T) -> T:
        """One key's answer; `otherwise`, and it is named, when the key is of another type."""
        with self.errors() as client:
            try:
                return call(client)
            except redis.ResponseError as error:
                if not is_wrong_type(error):
                    raise
                self.wrong_type(key, what)
                return otherwise

    def hashes(self, names: list[str], what: list[str]) -> list[dict[str, str] | None]:
        """Each of these in one round trip. None: it is of another type, and named."""
        with self.errors() as client:
            pipe = client.pipeline(transaction=False)
            for name in names:
                pipe.hgetall(name)
            rows = pipe.execute(raise_on_error=False)
        return [self._row(*answer) for answer in zip(names, what, rows, strict=True)]

    def _row(self, name: str, what: str, row: Any) -> dict[str, str] | None:
        if not isinstance(row, Exception):
            return dict(row)
        if not is_wrong_type(row):
            with self.errors():
                raise row
        self.wrong_type(name, what)
        return None

    def wrong_type(self, key: str, what: str) -> None:
        self.unreadable.add(key, what, f"{key} is no {keys.type_of(key)}")

    def set_aside(self, key: str) -> None:
        """Out of the way, not deleted: a person may look at it for a month."""
        place = keys.aside(key, time.time_ns() // 1_000_000)
        with self.errors() as client:
            if client.exists(key):
                client.rename(key, place)
                client.pexpire(place, ASIDE_MS)
        self.unreadable.well(key)

    @contextmanager
    def errors(self) -> Iterator[Any]:
        """The client; its errors leave as ours."""
        try:
            with self._told():
                yield self.client
            self._heard = True
        except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
            if isinstance(error, redis.TimeoutError) and not _while_connecting(error):
                raise BrokerUnavailableError(
                    f"the broker runs, but did not answer within {self._seconds:.0f} s",
                    hint=when_stuck(self.url),
                ) from error
            raise BrokerUnavailableError(
                f"the broker does not answer ({_reason(error)})",
                hint=when_silent(self.url),
            ) from error
        except redis.RedisError as error:
            if is_wrong_type(error):
                raise UnreadableError(f"the broker refused: {error}", hint=HOW_TO_MEND) from error
            raise CwError(
                f"the broker refused: {error}", hint="cw doctor checks its configuration"
            ) from error

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Later answers may be waited for on purpose."""
        if self.slow is None or self._heard:
            yield
            return
        timer = threading.Timer(_SILENT_SECONDS, self.slow)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _script(self, name: str) -> Script:
        if name not in self._scripts:
            text = "".join(_text(part) for part in (*_PARTS.get(name, ()), name))
            text = text if name == _ASIDE else checked(text)
            self._scripts[name] = self.client.register_script(text)
        return self._scripts[name]

    def close(self) -> None:
        self.client.close()


def verifies_certificates() -> bool:
    """Whether redis-py looks at the broker's certificate and name, unless told otherwise."""
    pool = redis.Redis.from_url("rediss://localhost").connection_pool
    made: Any = pool.make_connection()  # connects to nothing yet
    return bool(made.cert_reqs == ssl.CERT_REQUIRED and made.check_hostname)


def is_error(answer: Any) -> bool:
    """As a pipeline gives it in the place of an answer."""
    return isinstance(answer, Exception)


def is_wrong_type(error: Exception) -> bool:
    """Redis says it of its own commands, our scripts before they begin."""
    return isinstance(error, redis.ResponseError) and "WRONGTYPE" in str(error)


def checked(script: str) -> str:
    """With a look at its keys before it changes any."""
    table = ", ".join(f"{{'{start}', '{kind}'}}" for start, kind in keys.TYPES)
    return _text("_types").replace("%s", table) + script


def _text(name: str) -> str:
    return files("cw.store").joinpath("scripts", f"{name}.lua").read_text("utf-8")


def _while_connecting(error: Exception) -> bool:
    """Whether nobody took the call (redis-py 7's words; else it was taken, and not answered)."""
    return "connecting" in str(error)


def _reason(error: Exception) -> str:
    """The error without the address: a URL may carry the password."""
    if isinstance(error, redis.AuthenticationError):
        return "wrong password"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate is not to be trusted"
    if isinstance(error, redis.TimeoutError):
        return "timed out"
    return "connection refused or lost"
