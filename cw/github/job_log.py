"""The log of a job of GitHub Actions. GitHub sends to where it lies for a minute, on a machine of
somebody else: that one gets no token.
"""

from __future__ import annotations

import re
import time
from contextlib import closing

import requests

from cw.errors import BadTokenError, GitHubRefusedError, GitHubUnavailableError
from cw.escapes import escape_control
from cw.forges.repairing import LOG_CHARS
from cw.github.connection import Connection
from cw.github.expected import Expected

_FOUND = 302
_OK = 200
_TIMEOUT_SECONDS = 15
_PATIENCE_SECONDS = 60.0  # for all of it
_MOST = 64 * 1024 * 1024  # bytes; what is newest is at its end
_KEPT = 256 * 1024
_CHUNK = 64 * 1024
_TIME = re.compile(r"^\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ?")
_ERROR = "##[error]"


def read_log(github: Connection, repo: str, job: str) -> tuple[str, str]:
    """Its end, or why there is none. Raises GitHubUnavailableError when the API is not there."""
    path = f"/repos/{repo}/actions/jobs/{job}/logs"
    try:
        expected = Expected(object, taken=(_FOUND,))
        said = github.ask(f"log of job {job}", repo, "GET", path, expected=expected)
    except BadTokenError:
        raise
    except GitHubRefusedError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return "", f"{error.message}{hint}"
    if said.status != _FOUND:
        raise GitHubUnavailableError(f"GitHub did not say where the log of job {job} is")
    try:
        log = log_end(_last_bytes(said.headers.get("location", "")))
    except (requests.RequestException, ValueError) as error:
        return "", f"where GitHub keeps it, it could not be read ({type(error).__name__})"
    return log, "" if log else "it is empty"


def log_end(data: bytes) -> str:
    """At most `LOG_CHARS`, in whole lines where none is longer, and nothing after the last error:
    cleaning up follows it. What a line wrote over itself is not in it.
    """
    lines = [_line(line) for line in data.decode("utf-8", "replace").split("\n")]
    last = max((at for at, line in enumerate(lines) if line.startswith(_ERROR)), default=-1)
    text = "\n".join(lines[: last + 1] if last >= 0 else lines).strip("\n")
    if len(text) <= LOG_CHARS:
        return text
    _, _, whole = text[-LOG_CHARS:].partition("\n")
    return whole or text[-LOG_CHARS:]


def _line(text: str) -> str:
    written = _TIME.sub("", text).rstrip("\r").rpartition("\r")[2]
    return escape_control(written).rstrip()


def _last_bytes(url: str) -> bytes:
    """Raises requests' errors, and ValueError for what is no log."""
    headers = {"User-Agent": "claude-workers", "Accept-Encoding": "identity"}
    until = time.monotonic() + _PATIENCE_SECONDS
    with requests.Session() as session:
        session.auth = lambda request: request  # else requests reads ~/.netrc
        found = session.get(url, headers=headers, timeout=_TIMEOUT_SECONDS, stream=True)
        with closing(found):
            if found.status_code != _OK:
                raise requests.HTTPError(f"status {found.status_code}")
            kept, read = b"", 0
            for chunk in found.iter_content(_CHUNK):
                kept, read = (kept + chunk)[-_KEPT:], read + len(chunk)
                if read > _MOST or time.monotonic() > until:
                    raise requests.Timeout("it is too long")
    return kept if read <= _KEPT else kept.partition(b"\n")[2]
