"""What `cw host join` was given, read and understood before anybody is asked."""

from __future__ import annotations

import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

from cw.errors import BadInputError

WRITTEN = ("broker_url", "host_name", "host_tags", "broker_ca", "signing_key_file")
_LONGEST_KEY = 64 * 1024
_HELP = "See: cw host join --help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """None: not given, and left as it is. Empty: to be taken out of config.toml."""

    url: str
    name: str | None
    tags: str | None
    ca: str | None
    key: str  # text of the signing key; empty: this machine has it
    key_from: str  # where that was read

    @classmethod
    def read(
        cls,
        url: str,
        *,
        name: str | None,
        tags: str | None,
        ca: str | None,
        key: str | None,
    ) -> Invitation:
        """Raises BadInputError for files that cannot be read or are something else."""
        if url == key == "-":
            raise BadInputError("stdin cannot be both the URL and the key", hint="Use a file")
        if key == "":
            raise BadInputError("--key names no file", hint=_HELP)
        address = _text("-") if url == "-" else url
        return cls(
            url=address.replace("redis+tls://", "rediss://", 1),
            name=name,
            tags=tags,
            ca=str(_certificates(ca)) if ca else ca,
            key=_text(key) if key else "",
            key_from="stdin" if key == "-" else key or "",
        )

    def values(self, state_dir: Path) -> dict[str, str | None]:
        """What is to change in config.toml; None takes a setting out."""
        given = {"host_name": self.name, "host_tags": self.tags, "broker_ca": self.ca}
        found: dict[str, str | None] = {"broker_url": self.url}
        found |= {name: text or None for name, text in given.items() if text is not None}
        if self.key:
            found["signing_key_file"] = str(state_dir / "fleet.key")
        return found


def _text(name: str) -> str:
    shown = "stdin" if name == "-" else name
    try:
        path = Path(name).expanduser()
        raw = sys.stdin.buffer.read(_LONGEST_KEY) if name == "-" else path.read_bytes()
        text = raw.decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no plain text"
        raise BadInputError(f"{shown} cannot be read: {why}", hint=_HELP) from error
    if not text:
        raise BadInputError(f"{shown} is empty", hint=_HELP)
    return text


def _certificates(name: str) -> Path:
    path = Path(name).expanduser().resolve()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError as error:
        raise BadInputError(f"{path} holds no certificates in PEM form", hint=_HELP) from error
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}", hint=_HELP) from error
    return path
