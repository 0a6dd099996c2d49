"""One account as the API has it: what its credential asked, and when that is refused."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from tests.standins.messages.scripts import Request
from tests.standins.messages.turns import Turn, slow, usage_limit

Refusal = Callable[[Request], Turn | None]  # None: it is served


def everything_served(_request: Request) -> None:
    """Nothing is refused."""


@dataclass(eq=False)
class ApiAccount:
    """`served` and `refused`: its requests, oldest first. `refusal` says which are, before any
    script; `gate`: the other answers wait until it is set, but those to conversations of fewer than
    `gated_from` answers of tools.
    """

    credential: str
    refusal: Refusal = everything_served
    gate: Event | None = None
    gated_from: int = 0
    served: list[Request] = field(default_factory=list)
    refused: list[Request] = field(default_factory=list)

    def answer(self, request: Request, turn: Turn) -> Turn:
        """What it is answered, who would be answered `turn`. Called one after the other."""
        if request.credential != self.credential:
            return turn
        refused = self.refusal(request)
        if refused:
            self.refused.append(request)
            return refused
        self.served.append(request)
        gated = self.gate and request.rounds >= self.gated_from
        return slow(turn, turn.delay_s, gate=self.gate) if gated else turn

    def refusals(self) -> Counter[str]:
        """How many there were in each session."""
        return Counter(request.session for request in self.refused)

    def sessions(self, since: float = 0.0, rounds: int = 0) -> list[str]:
        """That were served since then (monotonic), after so many answers of tools, in the order of
        those requests.
        """
        found = (one for one in self.served if one.at >= since and one.rounds >= rounds)
        return list(dict.fromkeys(one.session for one in found))


def closed(until: float, claim: str = "five_hour", model: str = "") -> Refusal:
    """The window is used up until then (epoch seconds); `model`: for those of this name."""
    refused = usage_limit(until, claim)

    def refusal(request: Request) -> Turn | None:
        meant = model in str(request.body.get("model"))
        return refused if meant and time.time() < until else None

    return refusal


def failing(turn: Turn) -> Refusal:
    """Each request is answered this."""
    return lambda _request: turn


def closing(times: int, seconds: int) -> Refusal:
    """The window closes so often: with the next request each time when it is open again."""
    until, left = 0, times

    def refusal(_request: Request) -> Turn | None:
        nonlocal until, left
        now = time.time()
        if now >= until:
            if not left:
                return None
            until, left = int(now) + 1 + seconds, left - 1
        return usage_limit(until)

    return refusal
