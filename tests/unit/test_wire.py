"""For how long a message is believed, by what it is."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from cw.broker import signed_transport
from tests.making import KEYRING

NOW = 1_900_000_000.0
DAY = 24 * 3600
SOON = datetime.fromtimestamp(NOW + 100, UTC).isoformat()


def message(exchange: str, expires: object = None) -> dict[str, Any]:
    return {
        "body": "e30=",
        "content-type": "application/json",
        "headers": {} if expires is None else {"expires": expires},
        "properties": {"delivery_info": {"exchange": exchange, "routing_key": "worker.01"}},
    }


@pytest.mark.parametrize(
    ("exchange", "expires", "seconds"),
    [
        ("celery.pidbox", 0, 60),
        ("celery.pidbox", NOW + DAY, 60),
        ("celeryev", None, 360),
        ("reply.celery.pidbox", None, 360),
        ("", None, DAY),
        ("", SOON, 400),
    ],
    ids=["control", "control that says more", "event", "reply", "hint", "task that expires"],
)
def test_message_is_believed_for_as_long_as_it_can_be_needed(
    exchange: str, expires: object, seconds: int
) -> None:
    one = message(exchange, expires)
    signed_transport.sign(KEYRING, one, NOW)
    fanout = exchange if exchange in {"celery.pidbox", "celeryev"} else ""
    queue = f"worker.01.{exchange}" if exchange else "worker.01"

    said = [
        signed_transport.refusal(KEYRING, copy.deepcopy(one), queue, NOW + later, fanout=fanout)
        for later in (0, seconds, seconds + 1)
    ]

    assert said == [None, None, "it has expired"]


@pytest.mark.parametrize(
    ("exchange", "queue", "fanout"),
    [
        ("", "worker.02", ""),
        ("", "pool", ""),
        ("celery.pidbox", "celery@here.celery.pidbox", "celeryev"),
        ("", "celery@here.celery.pidbox", "celery.pidbox"),
    ],
    ids=["another worker's queue", "the pool", "another exchange", "as a broadcast"],
)
def test_signed_message_is_believed_where_it_was_sent_to_only(
    exchange: str, queue: str, fanout: str
) -> None:
    """Who can write at the broker and has no key can still move what others have signed."""
    one = message(exchange)
    signed_transport.sign(KEYRING, one, NOW)

    said = signed_transport.refusal(KEYRING, one, queue, NOW, fanout=fanout)

    assert said == f"it was sent to {exchange if fanout else 'worker.01'}"
