"""How long a read waits for GitHub by itself: not longer than a person would watch."""

from __future__ import annotations

import logging
from typing import Any, Self, cast

from github import GithubRetry
from github.GithubException import RateLimitExceededExceedsMaxWait

MAX_WAIT = 20.0  # seconds; an exhausted hourly limit is told, not slept through


def hush() -> None:
    """PyGithub 2.10 prints each refused request on standard error, past whatever log there is."""
    library = logging.getLogger("github")
    library.handlers.clear()
    library.setLevel(logging.WARNING)


class PatientRetry(GithubRetry):
    """Server errors are retried for reads only: an answer of 502 to a comment may mean it was
    posted. PyGithub caps the waits it works out itself; this caps `Retry-After` as well.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("total", 2)
        options.setdefault("backoff_factor", 0.5)
        options.setdefault("allowed_methods", ["GET"])
        options.setdefault("secondary_rate_wait", 5)
        options.setdefault("max_rate_limit_wait", MAX_WAIT)
        super().__init__(**options)

    def increment(
        self, method: Any = None, url: Any = None, response: Any = None, *rest: Any, **more: Any
    ) -> Self:
        asked = response.headers.get("Retry-After", "") if response is not None else ""
        if asked.isdigit() and float(asked) > MAX_WAIT:
            raise RateLimitExceededExceedsMaxWait(
                response.status,
                {"message": "rate limit"},
                dict(response.headers),
                wait=float(asked),
            )
        return cast("Self", super().increment(method, url, response, *rest, **more))
