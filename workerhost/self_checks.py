"""What keeps strangers out and hangs on a library's inside: tried at each start, as the walls are.
A version of it that does things another way would switch the guard off without a word.
"""

from __future__ import annotations

import base64
import json
import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from celery.worker.control import Panel
from kombu.entity import Queue
from kombu.exceptions import ContentDisallowed
from kombu.messaging import Consumer
from kombu.serialization import loads
from kombu.transport import redis as kombu_redis
from pydantic import ValidationError

from cw.broker import signed_transport
from cw.broker.app import SWEEP_TASK
from cw.errors import BrokerUnavailableError
from cw.keyring import Keyring, make_keyring, new_key
from cw.models import TaskSpec
from cw.names import host_queue
from cw.store.connection import verifies_certificates
from workerhost.inbox.admission import CONTROLS
from workerhost.inbox.replay_protection import ReplayProtection

# What cw.broker.signed_transport puts something in the place of (kombu 5.7). None of it is
# promised.
RELIED_ON = {
    kombu_redis.Channel: ("_put", "_put_fanout", "_receive_one", "_get_client"),
    kombu_redis.Transport: ("_deliver",),
}
_PATIENCE = 5.0  # seconds for messages to come back; they take a few milliseconds
_MINUTE = 60.0
_BODY = base64.b64encode(json.dumps([[], {}, {}]).encode()).decode()


def broken(app: Any, keyring: Keyring, tickets: ReplayProtection, host: str) -> str:
    """The first guard that does not hold, and why; empty when all do. Raises
    BrokerUnavailableError.
    """
    checks: tuple[Callable[[], str], ...] = (
        library_guards,
        lambda: _only_json(app),
        lambda: _broadcasts(app, keyring),
        lambda: _messages(app, keyring, host),
        lambda: _replays(tickets),
    )
    with _unsaid():
        return next((why for check in checks if (why := check())), "")


@contextmanager
def _unsaid() -> Iterator[None]:
    """What is refused here is no stranger's, and nothing else is heard yet."""
    signed_transport.log.addFilter(_nothing)
    try:
        yield
    finally:
        signed_transport.log.removeFilter(_nothing)


def _nothing(_: logging.LogRecord) -> bool:
    return False


def library_guards() -> str:
    """Those that can be tried anywhere, without a broker."""
    for owner, names in RELIED_ON.items():
        missing = [name for name in names if not hasattr(owner, name)]
        if missing:
            return f"kombu has no {missing[0]} any more, on which the signatures hang"
    try:
        TaskSpec.model_validate({"unknown": 1})
    except ValidationError as error:
        if not any(problem["type"] == "extra_forbidden" for problem in error.errors()):
            return "pydantic takes fields that nobody knows"
    try:
        loads(b"x", "application/x-python-serialize", "binary", accept={"application/json"})
    except ContentDisallowed:
        pass
    else:
        return "kombu unpacks what is not JSON"
    if not verifies_certificates():
        return "redis-py does not look at the broker's certificate"
    return ""


def controls_left() -> str:
    """After the host has taken away what it does not want."""
    more = sorted(set(Panel.data) - CONTROLS)
    return f"Celery still obeys {more[0]}" if more else ""


def _only_json(app: Any) -> str:
    wrong = [
        name for name in ("accept_content", "result_accept_content") if app.conf[name] != ["json"]
    ]
    return f"Celery takes more than JSON ({wrong[0]})" if wrong else ""


def _messages(app: Any, keyring: Keyring, host: str) -> str:
    """To itself, in a line nobody else knows: forged ones, and one good one after them. It must
    be that one which comes, and alone.
    """
    name = f"{host_queue(host)}.probe.{secrets.token_hex(8)}"
    heard: list[str] = []
    with app.connection_for_read() as connection:
        channel = connection.channel()
        queue = Queue(name, exchange="", routing_key=name, durable=False, channel=channel)
        consumer = Consumer(channel, [queue], no_ack=True, accept=["json"])
        consumer.register_callback(lambda _, message: heard.append(message.headers["id"]))
        try:
            for kind, message in _forged(keyring, name):
                message["headers"]["id"] = kind
                channel.client.lpush(name, json.dumps(message))
            good = {"task": SWEEP_TASK, "id": "good", "expires": time.time() + _MINUTE}
            connection.Producer(channel).publish(
                [[], {}, {}], exchange="", routing_key=name, headers=good, serializer="json"
            )
            with consumer:
                _wait(connection, heard)
        finally:
            channel.client.delete(name)
    if "good" not in heard:
        raise BrokerUnavailableError("a message of this host to itself did not come back")
    return f"a message is believed that is {heard[0]}" if heard[0] != "good" else ""


def _wait(connection: Any, heard: list[str]) -> None:
    end = time.monotonic() + _PATIENCE
    while "good" not in heard and time.monotonic() < end:
        try:
            connection.drain_events(timeout=0.2)
        except TimeoutError:
            continue


def _forged(keyring: Keyring, queue: str) -> Iterator[tuple[str, dict[str, Any]]]:
    now = time.time()
    yield "not signed", _message(queue)
    for kind, where, ring, at in (
        ("sent to another", f"{queue}.other", keyring, now),
        ("of another key", queue, make_keyring([new_key()]), now),
        ("too old", queue, keyring, now - 2 * signed_transport.LIFE_SECONDS),
    ):
        message = _message(where)
        message["headers"]["id"] = kind
        signed_transport.sign(ring, message, at)
        yield kind, message
    unknown = _message(queue) | {"headers": {"task": "cw.unknown", "id": "of no task"}}
    signed_transport.sign(keyring, unknown, now)
    yield "of no task", unknown


def _message(queue: str, exchange: str = "") -> dict[str, Any]:
    """As kombu writes it (5.7), without a signature."""
    return {
        "body": _BODY,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"task": SWEEP_TASK, "id": ""},
        "properties": {
            "delivery_info": {"exchange": exchange, "routing_key": queue},
            "delivery_tag": secrets.token_hex(8),
            "delivery_mode": 2,
            "priority": 0,
            "body_encoding": "base64",
        },
    }


class _Heard:
    """What kombu reads broadcasts from, with one of ours in it: no other host hears it."""

    def __init__(self, message: dict[str, Any]) -> None:
        self._text = json.dumps(message).encode()

    def parse_response(self) -> list[bytes]:
        return [b"message", f"/0.{signed_transport.CONTROL}".encode(), self._text]


def _broadcasts(app: Any, keyring: Keyring) -> str:
    """Control commands: one that is not signed, and one that is and names no command."""
    believed: list[Any] = []
    queue = f"probe.{signed_transport.CONTROL}"
    with app.connection_for_read() as connection:
        channel = connection.channel()
        channel._fanout_to_queue[signed_transport.CONTROL] = queue  # noqa: SLF001  as a consumer would
        connection.transport._callbacks[queue] = believed.append  # noqa: SLF001
        signed = _message("", signed_transport.CONTROL)
        signed_transport.sign(keyring, signed, time.time())
        for message in (_message("", signed_transport.CONTROL), signed):
            channel._receive_one(_Heard(message))  # noqa: SLF001
    return "a broadcast is believed that is not signed, or no command" if believed else ""


def _replays(tickets: ReplayProtection) -> str:
    nonce, until = f"probe-{secrets.token_hex(8)}", time.time() + _PATIENCE
    again = [tickets.burn(nonce, until), tickets.burn(nonce, until)]
    return "" if again == [True, False] else "a message is acted on twice"
