"""The primary rate limit per login and resource, and the one on content per minute."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .wire import ApiError, Request

LIMITS = {"core": (5000, 3600), "graphql": (5000, 3600), "search": (30, 60)}  # per seconds
PUBLIC_CORE = 60
WRITES = {"POST", "PATCH", "PUT", "DELETE"}


@dataclass
class Bucket:
    limit: int
    used: int
    reset_at: datetime


class Limits:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.content_per_minute: int | None = None  # None: no secondary limit
        self._now = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._writes: dict[str, deque[datetime]] = {}

    def set(
        self,
        login: str,
        resource: str,
        *,
        remaining: int | None = None,
        limit: int | None = None,
        reset_at: datetime | None = None,
    ) -> None:
        with self._lock:
            bucket = self._bucket(login, resource)
            bucket.limit = bucket.limit if limit is None else limit
            bucket.used = bucket.used if remaining is None else bucket.limit - remaining
            bucket.reset_at = reset_at or bucket.reset_at

    def charge(self, login: str, resource: str) -> None:
        """Raises the 403 GitHub gives when nothing is left."""
        with self._lock:
            bucket = self._bucket(login, resource)
            if bucket.used >= bucket.limit:
                raise ApiError(403, f"API rate limit exceeded for {login or 'your address'}.")
            bucket.used += 1

    def refund(self, login: str, resource: str) -> None:
        with self._lock:
            bucket = self._bucket(login, resource)
            bucket.used = max(0, bucket.used - 1)

    def count_write(self, login: str, request: Request) -> None:
        if self.content_per_minute is None or request.method not in WRITES:
            return
        with self._lock:
            now = self._now()
            writes = self._writes.setdefault(login, deque())
            while writes and now - writes[0] >= timedelta(minutes=1):
                writes.popleft()
            if len(writes) >= self.content_per_minute:
                wait = timedelta(minutes=1) - (now - writes[0])
                raise secondary_limit(int(wait.total_seconds()) + 1)
            writes.append(now)

    def headers(self, login: str, resource: str) -> dict[str, str]:
        with self._lock:
            bucket = self._bucket(login, resource)
            return {
                "X-RateLimit-Limit": str(bucket.limit),
                "X-RateLimit-Remaining": str(max(0, bucket.limit - bucket.used)),
                "X-RateLimit-Reset": str(int(bucket.reset_at.timestamp())),
                "X-RateLimit-Used": str(bucket.used),
                "X-RateLimit-Resource": resource,
            }

    def overview(self, login: str) -> dict[str, Any]:
        with self._lock:
            return {
                resource: {
                    "limit": bucket.limit,
                    "used": bucket.used,
                    "remaining": max(0, bucket.limit - bucket.used),
                    "reset": int(bucket.reset_at.timestamp()),
                }
                for resource in LIMITS
                for bucket in [self._bucket(login, resource)]
            }

    def _bucket(self, login: str, resource: str) -> Bucket:
        limit, seconds = LIMITS[resource]
        if resource == "core" and not login:
            limit = PUBLIC_CORE
        now = self._now()
        bucket = self._buckets.get((login, resource))
        if bucket is None:
            bucket = Bucket(limit, 0, now + timedelta(seconds=seconds))
            self._buckets[login, resource] = bucket
        elif bucket.reset_at <= now:
            bucket.used = 0
            bucket.reset_at = now + timedelta(seconds=seconds)
        return bucket


SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)


def secondary_limit(retry_after: int | None) -> ApiError:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return ApiError(403, SECONDARY, headers=headers)


def resource_of(path: str) -> str:
    if path.endswith("/graphql"):
        return "graphql"
    return "search" if path.startswith("/search/") else "core"
