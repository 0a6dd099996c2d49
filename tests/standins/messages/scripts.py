"""Which turn a request gets: chosen from its body alone, so a resumed session fits in."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from tests.standins.messages.turns import Failure, Turn, error, text


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: Mapping[str, Any]
    size: int  # bytes of the body
    at: float  # monotonic seconds

    @property
    def session(self) -> str:
        return self.headers.get("x-claude-code-session-id", "")

    @property
    def credential(self) -> str:
        """A token or a key."""
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        return token or self.headers.get("x-api-key", "")

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.body.get("messages", ())
        return found

    @property
    def text(self) -> str:
        """Everything sent as instruction or conversation, without the tools."""
        return "\n".join(_strings([self.body.get("system"), *self.messages]))

    @property
    def last_message(self) -> str:
        """What the last message says in words: a prompt, not what tools answered."""
        content = self.messages[-1]["content"] if self.messages else ""
        blocks = [{"text": content}] if isinstance(content, str) else content
        return "\n".join(block["text"] for block in blocks if "text" in block)

    @property
    def tools(self) -> list[str]:
        return [one["name"] for one in self.body.get("tools", ())]

    @property
    def rounds(self) -> int:
        """Messages that bring back what tools answered."""
        return sum(1 for message in self.messages if _answers_tools(message))


Matcher = str | Callable[[Request], bool] | None


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one)


def _answers_tools(message: Mapping[str, Any]) -> bool:
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    return any(block.get("type") == "tool_result" for block in blocks)


@dataclass(frozen=True)
class Script:
    turns: Sequence[Turn]
    match: Matcher = None
    failed: Counter[tuple[str, int]] = field(default_factory=Counter)

    def fits(self, request: Request) -> bool:
        if self.match is None:
            return True
        if callable(self.match):
            return self.match(request)
        # Whole words only: issue-22 is not issue-221.
        word = rf"(?<![A-Za-z0-9]){re.escape(self.match)}(?![A-Za-z0-9])"
        return request.session == self.match or re.search(word, request.text) is not None

    def turn(self, request: Request) -> Turn:
        rounds = request.rounds
        for index, turn in enumerate(self.turns):
            if turn.failure is None:
                if rounds == 0 or not turn.calls_tools:
                    return turn
                rounds -= 1
            elif rounds == 0 and self._still_fails((request.session, index), turn.failure):
                return turn
        return text("Done.")

    def _still_fails(self, place: tuple[str, int], failure: Failure) -> bool:
        self.failed[place] += 1
        if failure.until is not None and time.time() >= failure.until:
            return False
        return failure.times is None or self.failed[place] <= failure.times


Change = Callable[[Request, Turn], Turn]


class Scripts:
    """Those with a matcher come before those without, later ones before earlier ones. `changes`:
    what else has a say in each answer, one after the other.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._scripts: list[Script] = []
        self.changes: list[Change] = []

    def add(self, script: Script) -> None:
        with self._lock:
            self._scripts.insert(0, script)
            self._scripts.sort(key=lambda one: one.match is None)

    def turn(self, request: Request) -> Turn:
        with self._lock:
            turn = self._scripted(request)
            for change in self.changes:
                turn = change(request, turn)
            return turn

    def _scripted(self, request: Request) -> Turn:
        for script in self._scripts:
            if script.fits(request):
                return script.turn(request)
        return error(400, "no script fits this request")
