"""Whether what must not be believed is refused: this host sends it to itself, through the very
connection that its consumer uses.

Signing hangs on private methods of kombu's Redis transport: one that is renamed would no longer be
called, and every message would be believed.
"""

from __future__ import annotations

import base64
import json
import time
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from kombu.entity import Exchange, Queue
from kombu.messaging import Consumer, Producer
from kombu.transport import redis

from cw import wire
from cw.broker import SWEEP_TASK
from cw.names import host_queue

if TYPE_CHECKING:
    from celery import Celery

    from cw.keyring import Keyring

_SECONDS = 10.0
_OLD_SECONDS = 3 * wire.LIFE_SECONDS
# Of kombu 5.7: what cw.wire puts itself before.
_OVERRIDDEN = {
    redis.Channel: (
        "_get_client",
        "_put",
        "_put_fanout",
        "_receive_one",
        "_deliver_fanout_message",
    ),
    redis.Transport: ("_deliver",),
}
Message = dict[str, Any]


def unknown_to_kombu() -> str:
    """Which method that signing hangs on is not there; empty when all are."""
    gone = [
        f"{kind.__name__}.{name}"
        for kind, names in _OVERRIDDEN.items()
        for name in names
        if not hasattr(kind, name)
    ]
    return f"this kombu has no {', '.join(gone)}, on which signing hangs" if gone else ""


def believed(app: Celery, keyring: Keyring, host: str) -> str:
    """What was believed and must not be, or that a good message was not; empty when all is well.
    Takes well below a second. Raises what kombu raises when the broker is away.
    """
    queue = f"{host_queue(host)}.probe-{token_hex(8)}"
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        try:
            good = _sent(channel, queue)
            bad = forgeries(good, keyring, queue)
            for name, message in (*bad.items(), ("good", _tagged(good))):
                channel.client.lpush(queue, json.dumps(_named(message, name, keyring)))
            came = _received(connection, channel, queue)
        finally:
            channel.client.delete(queue)
    if wrong := sorted(came & bad.keys()):
        return f"messages are believed that must not be: {', '.join(wrong)}"
    return "" if "good" in came else "the probe of messages could not run: none arrived"


def forgeries(good: Message, keyring: Keyring, queue: str) -> dict[str, Message]:
    """By what is wrong with them."""
    now = time.time()
    unsigned = _tagged(good)
    del unsigned["headers"][_SEAL]
    changed = _tagged(good)
    changed["headers"]["lang"] = "other"
    pickled = _tagged(good) | {"content-type": "application/x-python-serialize"}
    elsewhere = _tagged(good)
    elsewhere["properties"]["delivery_info"]["routing_key"] = f"{queue}-other"
    unknown = _tagged(good)
    unknown["headers"]["task"] = "celery.backend_cleanup"
    extra = _tagged(good)
    extra["body"] = _body({"more": 1})
    signed = {
        "pickled": (pickled, now),
        "wrongly addressed": (elsewhere, now),
        "expired": (_tagged(good), now - _OLD_SECONDS),
        "of an unknown task": (unknown, now),
        "with unknown arguments": (extra, now),
    }
    for message, at in signed.values():
        wire.sign(keyring, message, at)
    return {"unsigned": unsigned, "changed": changed} | {
        name: message for name, (message, _) in signed.items()
    }


_SEAL = "cw"
_NAME = "cw_probe"


def _sent(channel: Any, queue: str) -> Message:
    """A good one, as it lies at the broker."""
    Producer(channel).publish(
        _arguments({}),
        routing_key=queue,
        serializer="json",
        headers={"task": SWEEP_TASK, "id": token_hex(8), "lang": "py"},
        declare=[_queue(queue)],
    )
    found: Message = json.loads(channel.client.rpop(queue))
    return found


def _arguments(named: Message) -> list[Any]:
    return [[], named, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]


def _body(named: Message) -> str:
    return base64.b64encode(json.dumps(_arguments(named)).encode()).decode()


def _tagged(message: Message) -> Message:
    """A copy that kombu takes for another one."""
    copy: Message = json.loads(json.dumps(message))
    copy["properties"]["delivery_tag"] = token_hex(16)
    return copy


def _named(message: Message, name: str, keyring: Keyring) -> Message:
    """Its name travels in the task's id, where a signature covers it as well."""
    message["properties"]["correlation_id"] = name
    seal = message["headers"].get(_SEAL)
    if name in {"unsigned", "changed"} or seal is None:
        return message
    at = seal["iat"]
    del message["headers"][_SEAL]
    wire.sign(keyring, message, at)
    return message


def _queue(name: str) -> Queue:
    return Queue(name, Exchange("", "direct"), routing_key=name, durable=True, no_declare=True)


def _received(connection: Any, channel: Any, queue: str) -> set[str]:
    """Names of those that would have reached Celery, until the good one, which was sent last."""
    came: set[str] = set()

    def arrived(message: Any) -> None:  # its body is never decoded
        came.add(str(message.properties.get("correlation_id")))
        message.ack()

    deadline = time.monotonic() + _SECONDS
    with Consumer(channel, [_queue(queue)], on_message=arrived):
        while "good" not in came and time.monotonic() < deadline:
            try:
                connection.drain_events(timeout=1)
            except TimeoutError:
                continue
    return came
