"""Every message on the broker is signed as it is put there, and looked at before anything else
happens with it: kombu's Redis transport, with these two steps.

A message is signed whole: body, headers (so task, id and expiry) and where it is to go; only the
`redelivered` marks, which are set on the way, are left out. What is refused is dropped: the records
are the truth, and whatever a lost hint was about is hinted again.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Empty
from typing import Any

import redis as redis_client
from kombu.transport import TRANSPORT_ALIASES, redis
from kombu.utils.json import dumps, loads

from cw.keyring import Keyring

log = logging.getLogger("cw.broker.signed_transport")

MAX_MESSAGE_BYTES = 1 << 20
LIFE_SECONDS = 24 * 3600.0  # of a hint; the sweep sends another one to whoever is idle after that
SKEW_SECONDS = 300.0  # by which the clocks of two machines may differ
# Of a broadcast: whoever is not there to hear it does not hear it later. A control command gets no
# more than that, however the clocks are: it ends tasks.
BROADCAST_SECONDS = 60.0
CONTROL = "celery.pidbox"  # the exchange of control commands
_PASSING = frozenset({f"reply.{CONTROL}", "celeryev"})  # answers to them, and events
OPTION = "cw"  # in the transport options of an app of ours: which of `_RULES`
_SEAL = "cw"
_KIND = "message"
_LARGEST = 2 * MAX_MESSAGE_BYTES  # on the wire, where a body is base64

Admit = Callable[[dict[str, Any], str], str]  # message, queue; why it is refused, or nothing


@dataclass(frozen=True, slots=True)
class Rules:
    """`admit`: looks at what is signed before Celery does."""

    keyring: Keyring
    admit: Admit


_RULES: dict[str, Rules] = {}  # not in the options themselves: those are shown to whoever asks


def install(keyring: Keyring, admit: Admit | None) -> str:
    """Connections of this process are made with this transport from now on. Returns what OPTION is
    for those that keep these rules.
    """
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = "cw.broker.signed_transport:Transport"
    name = f"{keyring.id}{'-admits' if admit else ''}"
    _RULES[name] = Rules(keyring, admit or (lambda *_: ""))
    return name


def sign(keyring: Keyring, message: dict[str, Any], now: float) -> None:
    """Put a fresh seal on a message: each sending is another one."""
    headers = message.setdefault("headers", {})
    seal = {"v": 1, "iat": int(now), "exp": _end(message, now), "nonce": secrets.token_hex(16)}
    headers[_SEAL] = seal
    seal["mac"] = keyring.sign(_KIND, _whole(message))


def refusal(
    keyring: Keyring, message: Any, queue: str, now: float, *, fanout: str = ""
) -> str | None:
    """Why a message is not believed. `queue`: where it was found; `fanout`: its exchange, if so."""
    try:
        seal, properties = message["headers"][_SEAL], message["properties"]
        expires, mac, nonce = float(seal["exp"]), seal["mac"], seal["nonce"]
        place = properties["delivery_info"]
        exchange, route = str(place["exchange"]), str(place["routing_key"])
        body = message["body"]
        whole = _whole(message)
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError, RecursionError):
        return "it is not signed"
    if not isinstance(body, str) or len(body) > _LARGEST:
        return "it is too long"
    if not keyring.signed(_KIND, whole, mac):
        return "its signature is not of this installation's key"
    if expires < now:
        return "it has expired"
    if not isinstance(nonce, str) or len(nonce) < 16:
        return "it is not signed"
    if fanout and exchange != fanout:
        return f"it was sent to {exchange}"
    if not fanout and queue not in {route, f"{route}.{exchange}"}:
        return f"it was sent to {route}"
    if message.get("content-type") != "application/json":
        return "it is not JSON"
    return None


def seal_of(request: Any) -> tuple[str, float]:
    """Nonce and end of the message behind a Celery request, or of one with these headers."""
    seal = request.get(_SEAL) or {}
    return str(seal.get("nonce", "")), float(seal.get("exp", 0))


class SignedRedis(redis_client.Redis):
    """Drops what cannot be a message before kombu decodes it: one bad entry would end the host."""

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        found: Any = super().parse_response(connection, command_name, **options)
        if command_name != "BRPOP" or not found or _is_message(found[1]):
            return found
        log.warning("message refused queue=%r: it is too long or no message", found[0])
        return None


class Channel(redis.Channel):
    """Signs what goes out, believes nothing that comes in."""

    def _get_client(self) -> Any:
        return SignedRedis

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        self._sign(message)
        super()._put(queue, message, **kwargs)

    def _put_fanout(
        self, exchange: str, message: dict[str, Any], routing_key: str, **kwargs: Any
    ) -> None:
        self._sign(message)
        super()._put_fanout(exchange, message, routing_key, **kwargs)

    def _receive_one(self, c: Any) -> Any:
        try:
            return super()._receive_one(c)
        except (LookupError, ArithmeticError, RecursionError) as error:
            log.warning("broadcast refused: it is no message")
            raise Empty from error

    def _deliver_fanout_message(self, message: Any, exchange: str) -> bool:
        queue = self._fanout_to_queue[exchange]
        if self.connection.believes(message, queue, fanout=exchange):
            self.connection.hand_over(message, queue)
        return True

    def _sign(self, message: dict[str, Any]) -> None:
        if rules := self.connection.rules:
            sign(rules.keyring, message, time.time())


class Transport(redis.Transport):
    Channel = Channel

    @property
    def rules(self) -> Rules | None:
        """None: it belongs to no app of ours."""
        options: dict[str, Any] = self.client.transport_options  # type: ignore[union-attr]
        return _RULES[options[OPTION]] if OPTION in options else None

    def believes(self, message: Any, queue: str, *, fanout: str = "") -> bool:
        rules = self.rules
        if rules is None:
            return True
        why = refusal(rules.keyring, message, queue, time.time(), fanout=fanout)
        why = why or rules.admit(message, queue)
        if why:
            log.warning("message refused queue=%s: %s", queue, why)
        return not why

    def hand_over(self, message: Any, queue: str) -> None:
        """To Celery."""
        super()._deliver(message, queue)

    def _deliver(self, message: Any, queue: str) -> None:
        if self.believes(message, queue):
            self.hand_over(message, queue)


def _whole(message: dict[str, Any]) -> Any:
    """All of a message that is signed, as plain JSON."""
    copy = json.loads(dumps(message))
    copy["headers"].pop("redelivered", None)
    copy["headers"][_SEAL].pop("mac", None)
    copy["properties"].get("delivery_info", {}).pop("redelivered", None)
    return copy


def _end(message: dict[str, Any], now: float) -> int:
    """A message whose task expires is not believed for much longer than that."""
    exchange = message["properties"]["delivery_info"]["exchange"]
    if exchange == CONTROL:
        return int(now + BROADCAST_SECONDS)
    if exchange in _PASSING:
        return int(now + BROADCAST_SECONDS + SKEW_SECONDS)
    wanted = message["headers"].get("expires")
    if isinstance(wanted, str):
        moment = datetime.fromisoformat(wanted)
        wanted = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    latest = now + LIFE_SECONDS
    return int(min(latest, float(wanted) + SKEW_SECONDS) if wanted else latest)


def _is_message(item: Any) -> bool:
    if not isinstance(item, bytes | str) or len(item) > _LARGEST:
        return False
    try:
        tag = loads(item)["properties"]["delivery_tag"]
    except Exception:  # noqa: BLE001  whatever a stranger's bytes do to a decoder
        return False
    return isinstance(tag, str)
