"""The installation's signing key: what was not made with it is believed by nobody.

`state_dir/signing.key`, mode 0600, one key a line. The first signs; all are accepted, so that a new
key can be put on top of the old one while messages of the old one are still under way.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cw.errors import BadInputError
from cw.settings import Settings

_KEY_BYTES = 32
_OTHERS = 0o077
_HANDED_OVER = "Every machine of a fleet has the same file, mode 0600: see docs/security.md"


@dataclass(frozen=True, slots=True)
class Keyring:
    """`keys` never leave the process; `id` says which of them signs, and may be shown."""

    keys: tuple[bytes, ...] = field(repr=False)
    id: str

    def sign(self, kind: str, data: Any) -> str:
        """`kind` keeps apart what is signed for one purpose from what is for another."""
        return _mac(self.keys[0], kind, data)

    def signed(self, kind: str, data: Any, mac: object) -> bool:
        """Whether one of the keys made this."""
        if not isinstance(mac, str) or not mac.isascii():
            return False
        return any(hmac.compare_digest(_mac(key, kind, data), mac) for key in self.keys)

    def signatures(self, kind: str, data: Any) -> tuple[str, ...]:
        """What each of the keys would sign with; that of the one that signs is the first."""
        return tuple(_mac(key, kind, data) for key in self.keys)

    def seal(self, kind: str, data: Any) -> str:
        """A text that `unseal` takes back."""
        return json.dumps({"data": data, "mac": self.sign(kind, data)})

    def unseal(self, kind: str, text: str) -> Any:
        """None: it is not ours, or was changed."""
        try:
            row = json.loads(text)
            data, mac = row["data"], row["mac"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return data if self.signed(kind, data, mac) else None


def make_keyring(keys: list[str]) -> Keyring:
    raw = tuple(key.encode() for key in keys)
    return Keyring(raw, _mac(raw[0], "id", "")[:8])


def key_file(settings: Settings) -> Path:
    return settings.signing_key_file or settings.state_dir / "signing.key"


def load_keyring(settings: Settings) -> Keyring:
    """The keys of this installation; made when there are none yet and no file was named.

    Raises BadInputError.
    """
    path = key_file(settings)
    try:
        if not settings.signing_key_file and not path.exists():
            _make(path)
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) & _OTHERS:
            raise BadInputError(
                f"{path} is a key that others may use", hint=f"Close it: chmod 600 {path}"
            )
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise BadInputError(f"there is no signing key at {path}", hint=_HANDED_OVER) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(
            f"the signing key at {path} cannot be read", hint=_HANDED_OVER
        ) from error
    return read_keyring(text, str(path))


def read_keyring(text: str, name: str) -> Keyring:
    """`name`: where the text was found. Raises BadInputError."""
    keys = [key for line in text.split("\n") if (key := line.strip()) and not key.startswith("#")]
    if any(key.startswith("-----") for key in keys):
        raise BadInputError(
            f"{name} is for TLS or ssh, and not a fleet's signing key", hint=_HANDED_OVER
        )
    if not keys or any(len(key) < _KEY_BYTES or len(key.split()) > 1 for key in keys):
        raise BadInputError(
            f"{name} holds no key of at least {_KEY_BYTES} characters a line, without blanks",
            hint=_HANDED_OVER,
        )
    return make_keyring(keys)


def new_key(token: Callable[[int], str] = secrets.token_hex) -> str:
    return token(_KEY_BYTES)


def _make(path: Path) -> None:
    """Whole or not at all, and never over one that another process made at the same moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".signing.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{new_key()}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        Path(temporary).unlink()


def _mac(key: bytes, kind: str, data: Any) -> str:
    text = json.dumps([kind, data], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
