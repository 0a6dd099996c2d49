"""What runs where, for the person who typed `cw up`."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from cw.broker.address import broker_url
from cw.errors import CwError
from cw.homes.layout import homes
from cw.services import record
from cw.services.catalog import BROKER, flower_password_file, flower_url_file
from cw.services.flower.login import USER
from cw.settings import Settings
from cw.store.store import open_store


def summary(settings: Settings) -> dict[str, Any]:
    """Holds no secret. `flower` is None where none runs."""
    running = record.read(settings)
    names = {service.name for service in running.services} if running else set()
    return {
        "pid": running.supervisor.pid if running else None,
        "broker": {"kind": _broker_kind(settings), "address": address(broker_url(settings))},
        "host": {
            "name": settings.host_name,
            "workers": len(homes(settings.workers_root)),
            "workers_root": str(settings.workers_root),
        },
        "beat": {"every_seconds": settings.sweep_every},
        "flower": _flower(settings) if "flower" in names else None,
        "logs": str(settings.state_dir / "logs"),
        "warnings": warnings(settings),
    }


def lines(found: dict[str, Any]) -> list[str]:
    broker, host, flower = found["broker"], found["host"], found["flower"]
    count = host["workers"]
    workers = f"{count or 'no'} worker{'' if count == 1 else 's'}"
    said = [
        f"broker  {broker['kind']} at {broker['address']}",
        f"host    {host['name']}, {workers} below {host['workers_root']}",
        f"beat    every {found['beat']['every_seconds']:g} s",
    ]
    if flower:
        where = f"in {flower['password_file']}" if flower["password_file"] else "as you set it"
        said.append(f"flower  {flower['url']}  user {flower['user']}, password {where}")
    said.append(f"logs    {found['logs']}")
    return said + [f"Warning: {warning}" for warning in found["warnings"]]


def address(url: str) -> str:
    """Where the broker is, without user and password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return unquote(parts.path)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def warnings(settings: Settings) -> list[str]:
    """What of the broker's configuration could lose work; nothing when it does not tell."""
    store = None
    try:
        store = open_store(broker_url(settings))
        return store.server_warnings()
    except CwError:
        return []
    finally:
        if store:
            store.connection.close()


def _broker_kind(settings: Settings) -> str:
    if settings.broker_url:
        return "configured"
    try:
        kind = (settings.state_dir / BROKER / "kind").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        kind = "server"
    return f"private {kind}"


def _flower(settings: Settings) -> dict[str, str]:
    try:
        url = flower_url_file(settings).read_text(encoding="utf-8").strip()
    except OSError:
        url = "starting again"
    own = "" if settings.flower_password else str(flower_password_file(settings))
    return {"url": url, "user": USER, "password_file": own}
