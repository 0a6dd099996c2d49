"""Where a worker's processes may go on the network, and the door that leads there."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cw.errors import BadInputError, CwError, LostServerError
from cw.homes.agent_user import AgentUser
from cw.homes.owner import inherit
from cw.programs.known import program_of
from cw.settings import Settings
from workerhost.walls import proxy
from workerhost.walls.fork_client import SERVER, Command, Streams
from workerhost.walls.proxy_errors import Notes

DOOR = "/run/cw.net"  # where the proxy's socket is behind the wall
PROXY = [sys.executable, "-I", "-S", proxy.__file__]
PORT = 3129  # what listens there for it, in a network that has nothing else
_PORTS = {"http": 80, "https": 443, "ssh": 22, "git": 9418, "redis": 6379, "rediss": 6379}
_PROXIES = ("https_proxy", "http_proxy", "all_proxy")
# As they stand in an environment.
PROXIES = tuple(how for name in (*_PROXIES, "no_proxy") for how in (name, name.upper()))
_SCP = re.compile(r"[^/:]*@([^/:]+):")
_SSH = f"ssh -o ProxyCommand='socat - PROXY:127.0.0.1:%h:%p,proxyport={PORT}'"


@dataclass(frozen=True, slots=True)
class Reach:
    """As the rules of the proxy want it. Holds the password of the operator's proxy, if any."""

    domains: tuple[str, ...]
    endpoints: tuple[str, ...]
    closed: tuple[str, ...]
    upstream: str
    direct: str

    def environment(self, user: AgentUser | None = None) -> dict[str, str]:
        """Of the proxy (`PROXY`), whose listening socket is its standard input. `user`: whom root's
        becomes, before it reads a word of an agent's.
        """
        env = {"PATH": os.defpath, "CW_REACH": json.dumps(asdict(self))}
        return env | ({"CW_BECOME": f"{user.uid}:{user.gid}"} if user else {})

    def order(self, user: AgentUser | None = None) -> dict[str, object]:
        """How a shim starts it."""
        return {"argv": PROXY, "env": self.environment(user)}


def reach(settings: Settings, env: Mapping[str, str], repo_url: str = "") -> Reach:
    """Of everything behind the wall: the allowed domains, and the very places that were configured
    or dispatched to, wherever they are. Never the broker.
    """
    apis = program_of(settings).apis(env)
    urls = (*apis, settings.github_url, settings.github_api_url, repo_url)
    return Reach(
        domains=settings.allowed_domains,
        endpoints=tuple(dict.fromkeys(filter(None, map(_place, urls)))),
        closed=tuple(filter(None, (_place(settings.broker_url),))),
        upstream=_upstream(env),
        direct=_first(env, ("no_proxy",)),
    )


def tool_domains(settings: Settings, repo_url: str) -> list[str]:
    """Of an agent's tools: the API itself is not among them, unless a domain covers it."""
    urls = (settings.github_url, settings.github_api_url, repo_url)
    hosts = (place.rpartition(":")[0] for place in map(_place, urls) if place)
    return list(dict.fromkeys((*settings.allowed_domains, *hosts)))


def through_the_door(env: Mapping[str, str]) -> dict[str, str]:
    """An environment in which everything asks the proxy."""
    known = {*_PROXIES, "no_proxy"}
    rest = {name: value for name, value in env.items() if name.lower() not in known}
    url = f"http://127.0.0.1:{PORT}"
    names = [how for name in _PROXIES[:2] for how in (name, name.upper())]
    return {"GIT_SSH_COMMAND": _SSH, **rest, **dict.fromkeys(names, url)}


def listen(path: Path) -> socket.socket:
    """A Unix socket at a path of any length (its own name may have about 100 characters)."""
    path.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
        inherit(path)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise CwError(f"{path} cannot be made: {error.strerror}") from error
    finally:
        os.close(folder)
    return listener


@contextmanager
def opened(
    path: Path, told: Reach, user: AgentUser | None = None, *, notes: Notes | None = None
) -> Iterator[Path]:
    """The door, for as long as one command of the host itself needs it. `notes`: get what goes
    wrong there. Raises LostServerError.
    """
    with listen(path) as listener:
        process = SERVER.start(
            Command(argv=PROXY, env=told.environment(user), cwd="/"),
            Streams(stdin=listener, stderr=notes.handle if notes else subprocess.DEVNULL),
            proxy=True,
        )
    try:
        yield path
        process.poll()
        if process.lost:  # whoever was to go through it met nobody
            raise LostServerError
    finally:
        process.close()
        path.unlink(missing_ok=True)


def _place(url: str) -> str:
    """`host:port`; empty for a path, or a socket."""
    scp = _SCP.match(url)
    if scp and "://" not in url:
        return f"{scp[1].lower()}:22"
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in _PORTS:
        return ""
    return f"{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"


def _upstream(env: Mapping[str, str]) -> str:
    """The operator's own proxy. Raises BadInputError for one that cannot be asked."""
    url = _first(env, _PROXIES)
    if url and urlsplit(url).scheme != "http":
        raise BadInputError(
            f"the agents' proxy is a {urlsplit(url).scheme or 'nameless'} one",
            hint="Set https_proxy to an http:// URL, or unset it",
        )
    return url


def _first(env: Mapping[str, str], names: tuple[str, ...]) -> str:
    found = (env.get(how) for name in names for how in (name, name.upper()))
    return next(filter(None, found), "")
