"""Troubles ordered by a test."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any

from .wire import Reply, Request


@dataclass(kw_only=True)
class Fault:
    method: str | None = None
    path_regex: str = ""
    operation: str | None = None  # name of a GraphQL operation
    status: int = 502  # 0: the true answer, for faults that only delay
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int | None = 1  # None: for ever
    after_effect: bool = False  # do the work first, then lie about it
    drop: bool = False  # close the connection without an answer
    delay: float = 0.0  # seconds before the answer
    every: int = 1  # only each n-th request that fits
    fits: int = 0
    hits: int = 0

    @property
    def delays_only(self) -> bool:
        return self.status == 0 and not self.drop

    def matches(self, request: Request, operation: str) -> bool:
        return (
            (self.times is None or self.hits < self.times)
            and self.method in {None, request.method}
            and self.operation in {None, operation}
            and re.search(self.path_regex, request.path) is not None
        )

    def reply(self) -> Reply:
        body = {"message": f"injected {self.status}"} if self.body is None else self.body
        return Reply(status=self.status, body=body, headers=dict(self.headers))


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, request: Request, operation: str) -> Fault | None:
        """The first fault that fits, used up by one."""
        with self._lock:
            for fault in self._faults:
                if fault.matches(request, operation):
                    fault.fits += 1
                    if fault.fits % fault.every == 0:
                        fault.hits += 1
                        return fault
        return None
