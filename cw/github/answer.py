"""What came back from GitHub."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from cw.errors import GitHubUnavailableError

_NO_CONTENT = frozenset({204, 205, 304})
_LOOKED_AT = 1000  # bytes of an answer that is not GitHub's
_PART = 1 << 16  # bytes that are read at once


@dataclass(frozen=True, slots=True)
class Answer:
    """`data`: what the JSON said; None when there was none. Names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    data: Any


def begin(found: requests.Response, most: int) -> str:
    """At most so many characters of its body."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    text = ""
    for part in found.iter_content(_PART):
        text += decode(part)
        if len(text) >= most:
            break
    return text[:most]


def answer(status: int, headers: Mapping[str, str], body: Any) -> Answer:
    """Raises GitHubUnavailableError for what GitHub's API never says: a proxy's page, a login."""
    told = {name.lower(): value for name, value in headers.items()}
    if status in _NO_CONTENT or not body:
        return Answer(status, told, None)
    if not isinstance(body, (bytes, str)):
        return Answer(status, told, body)
    try:
        return Answer(status, told, json.loads(body))
    except ValueError:
        raise _not_github(status, body) from None


def _not_github(status: int, body: bytes | str) -> GitHubUnavailableError:
    mark = b"<" if isinstance(body, bytes) else "<"
    page = "a web page" if mark in body[:_LOOKED_AT] else "no JSON"  # type: ignore[operator]
    if status >= 500:  # GitHub's own, when it is in trouble
        return GitHubUnavailableError(f"GitHub is in trouble ({status}, {page})", hint="Try later")
    return GitHubUnavailableError(
        f"GitHub's API was answered for with {page} (status {status})",
        hint="A proxy or login page in between? CW_GITHUB_API_URL must lead to GitHub's API",
    )
