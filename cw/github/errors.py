"""PyGithub's and the network's errors as ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import requests
from github import GithubException
from github.GithubException import BadCredentialsException, UnknownObjectException

from cw.errors import GitHubLimitError, GitHubRefusedError, GitHubUnavailableError

_SERVER_ERRORS = 500
_WAIT_STATUSES = frozenset({429})


@contextmanager
def github_errors(what: str) -> Iterator[None]:
    """`what`: named when GitHub knows no such thing."""
    try:
        yield
    except BadCredentialsException as error:
        raise GitHubRefusedError(
            "GitHub does not accept the token", hint="Set GH_TOKEN to a valid one"
        ) from error
    except UnknownObjectException as error:
        raise GitHubRefusedError(
            f"GitHub knows no {what}", hint="Check the name, and that the token may see it"
        ) from error
    except GithubException as error:
        raise_for(error.status, error.data)
        raise GitHubUnavailableError(f"GitHub did not answer as expected ({what})") from error
    except requests.RequestException as error:
        raise GitHubUnavailableError(
            f"GitHub does not answer ({type(error).__name__})", hint="Try again later"
        ) from error


def raise_for(status: int, answer: Any) -> None:
    """Turn a status that is no success into our error."""
    text = answer.get("message", "") if isinstance(answer, dict) else str(answer or "")[:200]
    if status in _WAIT_STATUSES or "rate limit" in text.lower():
        raise GitHubLimitError(f"GitHub asks to wait ({status} {text})", hint="Try later")
    if status >= _SERVER_ERRORS:
        raise GitHubUnavailableError(f"GitHub is in trouble ({status} {text})", hint="Try later")
    if status == 401:
        raise GitHubRefusedError("GitHub does not accept the token", hint="Set GH_TOKEN")
    if status >= 400:
        raise GitHubRefusedError(
            f"GitHub refused: {status} {text}", hint="Check the token's permissions"
        )


def raise_for_graphql(error: Mapping[str, Any]) -> NoReturn:
    """GraphQL says no with a status of 200."""
    kind, text = error.get("type", ""), str(error.get("message", ""))[:200]
    if kind in {"NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES", "UNPROCESSABLE"}:
        raise GitHubRefusedError(f"GitHub refused: {text}", hint="Check what the token may see")
    if kind == "RATE_LIMITED":
        raise GitHubLimitError(f"GitHub asks to wait ({text})", hint="Try later")
    raise GitHubUnavailableError(f"GitHub is in trouble ({text})", hint="Try later")
