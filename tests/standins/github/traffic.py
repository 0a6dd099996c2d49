"""What was asked, by whom, and how it was answered."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class LoggedRequest:
    method: str
    host: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    status: int  # 0: the connection was dropped without an answer
    login: str  # "" for the public and for a token nobody knows
    at: datetime
    operation: str = ""  # name of the GraphQL operation
    git: bool = False
    errors: int = 0  # in an answer of GraphQL
    lied: bool = False  # a fault's answer, not the true one


class Traffic:
    """Requests in the order they were answered; safe from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._log: list[LoggedRequest] = []

    def add(self, request: LoggedRequest) -> None:
        with self._changed:
            self._log.append(request)
            self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self._log.clear()

    def matching(
        self,
        method: str | None = None,
        path_regex: str = "",
        operation: str | None = None,
    ) -> list[LoggedRequest]:
        return [
            request
            for request in self
            if method in {None, request.method}
            and re.search(path_regex, request.path)
            and operation in {None, request.operation}
        ]

    def wait_for(self, satisfied: Callable[[list[LoggedRequest]], bool], timeout: float) -> bool:
        """Wait in seconds until the log satisfies; woken by each request, never by the clock."""
        with self._changed:
            return self._changed.wait_for(lambda: satisfied(list(self._log)), timeout)

    def __iter__(self) -> Iterator[LoggedRequest]:
        with self._changed:
            return iter(list(self._log))

    def __len__(self) -> int:
        with self._changed:
            return len(self._log)
