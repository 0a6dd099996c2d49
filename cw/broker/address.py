"""The broker's address: where it is, whether it may be used, and how each library wants it."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from cw.errors import BadInputError, NotStartedError
from cw.settings import Settings


def private_url_file(settings: Settings) -> Path:
    """Where the private server's URL, password included, is kept (mode 0600)."""
    return settings.state_dir / "broker" / "url"


def broker_url(settings: Settings) -> str:
    """The broker in use: the configured one, else the private server's.

    Raises BadInputError for one that strangers could reach, NotStartedError for none.
    """
    if settings.broker_url:
        reason = exposed(settings.broker_url)
        if reason and not settings.broker_insecure:
            raise BadInputError(
                f"the broker is not on this machine, and {reason}: whoever writes there steers"
                " agents",
                hint="Use rediss://USER:PASSWORD@HOST, and CW_BROKER_CA for a certificate of your"
                " own; or CW_BROKER_INSECURE=1 if the network between them is private",
            )
        return _with_ca(settings.broker_url, settings.broker_ca)
    try:
        found = private_url_file(settings).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise NotStartedError(
            "no broker is configured and none was started here",
            hint="Start everything with: cw up; or set CW_BROKER_URL",
        ) from None
    except (OSError, ValueError):
        found = ""
    if not found.startswith("unix://"):
        raise BadInputError(
            f"{private_url_file(settings)}, the private broker's address, cannot be read",
            hint="Remove it; it is made anew by: cw down; cw up -d",
        )
    return found


def when_silent(url: str) -> str:
    """What to look at when nothing answers there. Never shows a password."""
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss"}:
        return "Start it with: cw up; or set CW_BROKER_URL"
    where = parts.netloc.rpartition("@")[2]
    return f"Does it run, and is {where} right? CW_BROKER_URL (or broker.url) says where it is"


def when_stuck(url: str) -> str:
    """What to do when somebody takes the call there and says nothing. Never shows a password."""
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss"}:
        return "It is busy, or was stopped. If it stays so, start it again: cw down; cw up -d"
    where = parts.netloc.rpartition("@")[2]
    return f"It is busy or was stopped, or {where} is no Redis or Valkey server. Look there"


def exposed(url: str) -> str:
    """What is missing at an address that is not of this machine; empty when nothing is."""
    try:
        parts = urlsplit(url)
        host, secret, _ = parts.hostname or "localhost", parts.password, parts.port
    except ValueError:
        return ""  # no address at all: refused where it is used
    if parts.scheme not in {"redis", "rediss"} or _is_here(host):
        return ""
    query = parse_qs(parts.query)
    missing = [
        *(["TLS"] if parts.scheme != "rediss" else []),
        *(["a password"] if not (secret or query.get("password")) else []),
    ]
    if not missing and query.get("ssl_cert_reqs", ["required"])[0] != "required":
        return "its certificate is not checked"
    return f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing" * bool(missing)


def celery_url(url: str) -> str:
    """The same broker as kombu writes it: unix://:pw@/path?db=0 is redis+socket:// there."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        kept = [pair for pair in parse_qsl(parts.query) if not pair[0].startswith("ssl_")]
        return urlunsplit(parts._replace(query=urlencode(kept)))
    secret = f":{quote(parts.password, safe='')}@" if parts.password else ""
    return f"redis+socket://{secret}{parts.path}?virtual_host=0"


def tls_options(url: str) -> dict[str, Any] | None:
    """What kombu, RedBeat and Flower want beside a rediss:// address."""
    parts = urlsplit(url)
    if parts.scheme != "rediss":
        return None
    given = dict(parse_qsl(parts.query))
    options: dict[str, Any] = {
        "ssl_cert_reqs": ssl.CERT_NONE
        if given.get("ssl_cert_reqs") == "none"
        else ssl.CERT_REQUIRED,
        "ssl_check_hostname": given.get("ssl_cert_reqs") != "none",
    }
    if "ssl_ca_certs" in given:
        options["ssl_ca_certs"] = given["ssl_ca_certs"]
    return options


def _with_ca(url: str, ca: Path | None) -> str:
    """redis-py reads TLS options from the address."""
    if ca is None or not url.startswith("rediss://"):
        return url
    parts = urlsplit(url)
    if not ca.is_file():
        raise BadInputError(f"there is no file {ca}", hint="CW_BROKER_CA names a PEM file")
    query = urlencode([*parse_qsl(parts.query), ("ssl_ca_certs", str(ca))])
    return urlunsplit(parts._replace(query=query))


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
