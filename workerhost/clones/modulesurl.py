"""Where a submodule is: what its URL means beside that of its repository, and whether the host asks
there at all. A URL in `.gitmodules` is a stranger's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from urllib.parse import urlsplit

from cw.errors import WorkspaceError
from cw.settings import Settings
from workerhost.walls.http_framing import RefusedError
from workerhost.walls.network_access import reach
from workerhost.walls.proxy_rules import Rules

_PORTS = {"http": 80, "https": 443, "ssh": 22}
_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?!/?/)(.*)")
_ODD = re.compile(r"[\x00-\x20\x7f]")

Place = tuple[str, str, int]  # scheme, host, port


def resolved(base: str, url: str) -> str:
    """As git resolves it (`remote.c`, relative_url). Raises WorkspaceError for what is not http,
    https or ssh, or leads out of the base's host.
    """
    if not url.startswith(("./", "../")):
        place(url)
        return url
    left, rest, joint = base.rstrip("/"), url, "/"
    while rest.startswith(("./", "../")):
        if rest.startswith("../"):
            head, found, _ = left.rpartition("/")
            if not found:
                head, found, _ = left.rpartition(":")
                joint = ":"
            left = head
        rest = rest.partition("/")[2]
    whole = f"{left}{joint}{rest}".rstrip("/")
    if place(whole) != place(base):
        raise WorkspaceError(f"{url} leads out of {base}")
    return whole


def place(url: str) -> Place:
    """Raises WorkspaceError."""
    bad = WorkspaceError(f"{url[:200]!r} is no http, https or ssh URL")
    if url.startswith("-") or _ODD.search(url):
        raise bad
    if "://" not in url:
        scp = _SCP.fullmatch(url)
        if not scp or "::" in url:
            raise bad
        return "ssh", scp[1].lower(), _PORTS["ssh"]
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise bad from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.hostname.startswith("-"):
        raise bad
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]


def same_place(base: str, url: str) -> bool:
    """Whether the repository's login may go there: the same server, and not in the clear where that
    was not.
    """
    try:
        ours, theirs = place(base), place(url)
    except WorkspaceError:
        return False
    return ours == theirs or (theirs[0] == "ssh" and ours[1] == theirs[1])


def allowed(settings: Settings, env: Mapping[str, str], base: str, url: str) -> None:
    """Only where agents may go, whatever walls there are. Raises WorkspaceError."""
    scheme, host, port = place(url)
    if scheme == "ssh" and not same_place(base, url):
        raise WorkspaceError(f"{host} is another host, and gets no login of this one")
    try:
        Rules(asdict(reach(settings, env, base))).check(host, port)
    except RefusedError as error:
        raise WorkspaceError(f"{error} (CW_ALLOWED_DOMAINS)") from error
