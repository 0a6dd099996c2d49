"""What claude has not priced yet, by its tokens. Its own word replaces it with each result line.

Dollars a million tokens as claude counts them itself: measured with a million of each kind, claude
2.1.202 and 2.1.332; a contract test compares. A model that is not known costs as much as the
dearest.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_MILLION = 1e6
_CHARS_A_TOKEN = 4  # of what the model says; the usage of a line is that of its message's beginning
_MOST = 1e9  # tokens of a message
_IDS_KEPT = 64  # the lines of one message follow each other closely
_WRITE_5M, _WRITE_1H = 1.25, 2.0  # of the price of input: what is cached


@dataclass(frozen=True, slots=True)
class Price:
    """`cached`: what is read of what was sent before."""

    given: float
    said: float
    cached: float


# The first whose name is a part of the model's.
PRICES = (
    ("fable", Price(10, 50, 1)),
    ("opus-5-5", Price(4, 20, 0.2)),
    ("opus", Price(5, 25, 0.5)),
    ("sonnet-5-5", Price(2, 10, 0.1)),
    ("sonnet", Price(3, 15, 0.3)),
    ("haiku-5-5", Price(0.5, 2.5, 0.05)),
    ("3-5-haiku", Price(0.8, 4, 0.08)),
    ("haiku", Price(1, 5, 0.1)),
)
_DEAREST = Price(10, 50, 1)


@dataclass(slots=True)
class Unpriced:
    """Messages since the last result line, those of subagents too."""

    usd: float = 0.0
    _seen: deque[str] = field(default_factory=lambda: deque(maxlen=_IDS_KEPT))

    def add(self, message: Mapping[str, Any]) -> None:
        """One line of a message: a block of what it says, and what was sent for all of it."""
        model, identity = str(message.get("model") or ""), str(message.get("id") or "")
        usage, content = message.get("usage"), message.get("content")
        if identity not in self._seen and isinstance(usage, dict):
            self._seen.append(identity)
            self.usd += given_usd(model, usage)
        if isinstance(content, list):
            self.usd += said_usd(model, sum(_length(block) for block in content))

    def priced(self) -> None:
        self.usd = 0.0


def _length(block: object) -> int:
    if not isinstance(block, dict):
        return 0
    said = (block.get("text"), block.get("thinking"), block.get("input"))
    return sum(len(part if isinstance(part, str) else json.dumps(part)) for part in said if part)


def price(model: str) -> Price:
    return next((row for name, row in PRICES if name in model), _DEAREST)


def given_usd(model: str, usage: Mapping[str, Any]) -> float:
    """What was sent to the model for one message: its `usage`."""
    cached = usage.get("cache_creation")
    hour = _count(cached, "ephemeral_1h_input_tokens") if isinstance(cached, dict) else 0.0
    written = _count(usage, "cache_creation_input_tokens")
    sent = _count(usage, "input_tokens") + _WRITE_5M * max(0.0, written - hour) + _WRITE_1H * hour
    costs = price(model)
    read = _count(usage, "cache_read_input_tokens")
    return (sent * costs.given + read * costs.cached) / _MILLION


def said_usd(model: str, chars: int) -> float:
    """What the model said, by its length."""
    return chars / _CHARS_A_TOKEN * price(model).said / _MILLION


def _count(usage: Mapping[str, Any], name: str) -> float:
    """Of what an agent may have written itself: what is no number is none."""
    value = usage.get(name)
    return float(min(value, _MOST)) if isinstance(value, (int, float)) and value > 0 else 0.0
