"""The services of one machine, as data."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from cw.broker.address import broker_url
from cw.services import broker_repair, broker_server
from cw.services.processes import ProcessMark
from cw.settings import Settings
from cw.store.store import open_store
from cw.token_names import GITHUB_LOGINS, MODEL_KEYS

BROKER = "broker"
_NOTIFY = ("CW_NOTIFY_SECRET", "CW_NOTIFY_SECRET_FILE", "CW_NOTIFY_TO", "CW_NOTIFY_TO_FILE")
_TOKENS = ("CW_GITHUB_TOKEN", "CW_GITHUB_TOKEN_FILE", *GITHUB_LOGINS, *MODEL_KEYS, *_NOTIFY)
_GOODBYE = 20.0
_A_WEEK = 7 * 24 * 3600.0
_SERVER_ENV = ("PATH", "LANG", "LC_ALL", "TZ")


@dataclass(frozen=True, slots=True)
class Running:
    """One life of a service. `started_at` is epoch seconds."""

    process: ProcessMark
    started_at: float


def _nothing() -> str:
    return ""


def _not_mended(_: str) -> str:
    return ""


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _at_once(_: Running) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    name: str
    command: tuple[str, ...]  # seen by every user of the machine: no secrets
    grace: float = 5.0  # seconds between terminate and kill
    needs_broker: bool = True  # started after the broker is ready, stopped before it
    sees: Literal["everything", "no tokens", "nothing"] = "no tokens"  # of our environment
    prepare: Callable[[], str] = _nothing  # before each start; what it mended, for a person
    reason: Callable[[str], str] = _last_line  # why it ended, of what it wrote
    mend: Callable[[str], str] = _not_mended  # the same as prepare, for what it wrote
    ready: Callable[[Running], bool] = _at_once  # asked until true; may take seconds or raise

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        if self.sees == "everything":
            return dict(environ)
        if self.sees == "nothing":
            return {name: environ[name] for name in _SERVER_ENV if name in environ}
        return {name: value for name, value in environ.items() if name not in _TOKENS}


def catalog(settings: Settings) -> tuple[Service, ...]:
    """What `cw up` runs with these settings, in the order it starts. Raises BadInputError."""
    services = [] if settings.broker_url else [broker_service(settings)]
    services += [
        Service(
            name="host",
            command=_module("workerhost"),
            grace=host_grace(settings),
            sees="everything",
            ready=lambda running: host_ready(settings, running),
        ),
        Service(
            name="beat",
            command=_module("cw.services.beat"),
            ready=lambda running: beat_ready(settings, running),
        ),
    ]
    if settings.flower_port:
        services.append(flower_service(settings))
    return tuple(services)


def host_grace(settings: Settings) -> float:
    """Seconds in which it hands its runs over, ends them or sees them through, and says goodbye."""
    if settings.on_stop == "drain":
        return _GOODBYE + (settings.run_time_limit or _A_WEEK)
    return _GOODBYE + (3 * settings.stop_grace if settings.on_stop == "interrupt" else 0.0)


def broker_service(settings: Settings) -> Service:
    server = broker_server.find_server(settings)
    return Service(
        name=BROKER,
        command=(str(server.binary), str(broker_server.conf_file(settings))),
        grace=15.0,  # it writes its last bytes
        needs_broker=False,
        sees="nothing",
        prepare=lambda: _prepare_broker(settings),
        reason=broker_repair.reason,
        mend=lambda said: broker_repair.after_end(settings, server, said),
        ready=lambda _: broker_server.answers(broker_url(settings)),
    )


def _prepare_broker(settings: Settings) -> str:
    broker_server.prepare(settings)
    return broker_repair.before_start(settings)


def flower_service(settings: Settings) -> Service:
    return Service(
        name="flower",
        command=_module("cw.services.flower"),
        prepare=lambda: _forget_url(settings),
        ready=lambda _: flower_ready(settings),
    )


def _forget_url(settings: Settings) -> str:
    flower_url_file(settings).unlink(missing_ok=True)
    return ""


def host_ready(settings: Settings, running: Running) -> bool:
    """Its heartbeat, and not that of the host before it."""
    store = open_store(broker_url(settings))
    try:
        for host in store.fleet.hosts():
            if host.name == settings.host_name and host.seen_at is not None:
                return (
                    host.pid == running.process.pid
                    or host.seen_at.timestamp() >= running.started_at
                )
    finally:
        store.connection.close()
    return False


def beat_ready(settings: Settings, running: Running) -> bool:
    return _read(beat_pid_file(settings)) == str(running.process.pid)


def flower_ready(settings: Settings) -> bool:
    where = urlsplit(_read(flower_url_file(settings)))
    if not where.hostname:
        return False
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=2)
    try:
        connection.request("GET", "/healthcheck")
        return connection.getresponse().status == http.client.OK
    finally:
        connection.close()


def flower_url(settings: Settings, port: int) -> str:
    """Where this machine finds what listens at `flower_address`."""
    address = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(  # noqa: S104 - compared
        settings.flower_address, settings.flower_address
    )
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def beat_pid_file(settings: Settings) -> Path:
    return settings.state_dir / "beat" / "pid"


def flower_url_file(settings: Settings) -> Path:
    """Where Flower really listens: another port than the wanted one when that was taken."""
    return settings.state_dir / "flower" / "url"


def flower_password_file(settings: Settings) -> Path:
    return settings.state_dir / "flower" / "password"


def _module(name: str) -> tuple[str, ...]:
    """-P: a folder named `workerhost` or `celery` where `cw up` was typed must not be imported."""
    return (sys.executable, "-P", "-m", name)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
