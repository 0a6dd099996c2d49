"""What GitHub says no to, and what is no answer at all, as our errors."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import requests

from cw.errors import (
    BadTokenError,
    CwError,
    GitHubLimitError,
    GitHubRefusedError,
    GitHubUnavailableError,
    GoneError,
    RightMissingError,
)

_SERVER_ERRORS = 500
_WAIT_STATUSES = frozenset({429})
_NOT_FOUND = frozenset({404, 410})
_SHOWN = 200  # characters of GitHub's words
_NO_HEADERS: Mapping[str, str] = {}
# What reading an answer of another shape than expected ends with.
_ODD = (KeyError, TypeError, AttributeError, IndexError, ValueError, RuntimeError)


@contextmanager
def github_errors(what: str) -> Iterator[None]:
    """`what`: named when GitHub knows no such thing. Around the reading of an answer as well: one
    of another shape is no reason to stop for whoever asked.
    """
    try:
        yield
    except CwError:
        raise
    except requests.RequestException as error:
        raise GitHubUnavailableError(
            f"GitHub does not answer ({type(error).__name__})", hint="Try again later"
        ) from error
    except _ODD as error:  # pydantic's are ValueErrors, too
        raise odd_answer(what, error) from error


def odd_answer(what: str, error: Exception) -> GitHubUnavailableError:
    where = traceback.extract_tb(error.__traceback__)
    last = next((frame for frame in reversed(where) if "/cw/" in frame.filename), where[-1])
    place = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
    return GitHubUnavailableError(f"GitHub did not answer as expected ({what}; {place})")


def raise_for(
    status: int, answer: Any, headers: Mapping[str, str] = _NO_HEADERS, what: str = ""
) -> None:
    """Turn a status that is no success into our error, with what to do about it."""
    told = answer.get("message", "") if isinstance(answer, dict) else answer
    text = str(told or "")[:_SHOWN]
    if status in _WAIT_STATUSES or "rate limit" in text.lower():
        raise GitHubLimitError(f"GitHub asks to wait ({status} {text})", hint="Try later")
    if status >= _SERVER_ERRORS:
        raise GitHubUnavailableError(f"GitHub is in trouble ({status} {text})", hint="Try later")
    if status == 401:
        raise BadTokenError("GitHub does not accept the token", hint="Set GH_TOKEN to a valid one")
    if status in _NOT_FOUND and what:
        raise _not_found(status, text, what)
    if status >= 400:
        raise _refused(status, text, {name.lower(): value for name, value in headers.items()})


def _not_found(status: int, text: str, what: str) -> GitHubRefusedError:
    if status == 410:  # an issue that was deleted, or a repository without issues
        return GoneError(f"GitHub has no {what} any more: {text}")
    return GoneError(
        f"GitHub knows no {what}", hint="Check the name, and that the token may see it"
    )


def _refused(status: int, text: str, headers: Mapping[str, str]) -> GitHubRefusedError:
    sso = re.search(r"url=(\S+)", headers.get("x-github-sso", ""))
    if sso or headers.get("x-github-sso", "").startswith("required"):
        return GitHubRefusedError(
            "the organization wants single sign-on for this token",
            hint=f"Authorize it at {sso[1]}" if sso else "Authorize it on the page of the token",
        )
    if "archived" in text.lower():
        return GitHubRefusedError(
            f"GitHub refused: {status} {text}", hint="Unarchive the repository in its settings"
        )
    # Of fine-grained tokens and Apps: what this endpoint wants, and so what the token lacks.
    wanted = headers.get("x-accepted-github-permissions", "")
    if "not accessible" in text.lower():
        lacks = " or ".join(right.strip().replace("=", ": ") for right in wanted.split(";"))
        hint = f"Give the token {lacks}" if lacks else "Check the token's permissions"
        return RightMissingError(f"GitHub refused: {text}", hint=hint)
    return GitHubRefusedError(
        f"GitHub refused: {status} {text}", hint="Check the token's permissions"
    )


def raise_for_graphql(error: Mapping[str, Any]) -> NoReturn:
    """GraphQL says no with a status of 200."""
    kind, text = error.get("type", ""), str(error.get("message", ""))[:_SHOWN]
    if kind in {"NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES", "UNPROCESSABLE"}:
        raise GitHubRefusedError(f"GitHub refused: {text}", hint="Check what the token may see")
    if kind == "RATE_LIMITED":
        raise GitHubLimitError(f"GitHub asks to wait ({text})", hint="Try later")
    raise GitHubUnavailableError(f"GitHub is in trouble ({text})", hint="Try later")


def says_no_drafts(words: str) -> bool:
    """GitHub's, of a plan that has none."""
    return "draft pull requests are not supported" in words.lower()
