"""`webhook:https://…`: a POST of the notice as JSON, signed so that the receiver knows who sent it.

`X-CW-Signature: sha256=HEX` is the HMAC-SHA256 of the body, byte for byte, with the shared secret.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import urllib.error
import urllib.request
from urllib.parse import SplitResult, urlsplit

from cw import __version__
from cw.errors import BadInputError, NotSentError, RefusedNoticeError
from cw.no_redirects import opener
from cw.notices.notice import Notice

SIGNATURE = "X-CW-Signature"
_SECONDS = 10.0  # for each step: connecting, and each part of the answer
_NEVER = {400, 410, 413, 415, 422}  # said of this very notice; others may pass, or be mended
_FORM = "webhook:https://HOST/PATH, or http on loopback"


class WebhookNotifier:
    def __init__(self, place: str, secret: str) -> None:
        """Raises BadInputError."""
        parts = _parts(place)
        if not secret:
            raise BadInputError(
                "a webhook needs a secret that its receiver shares",
                hint="Set CW_NOTIFY_SECRET, or CW_NOTIFY_SECRET_FILE",
            )
        self._url = place
        self._secret = secret.encode()
        self._opener = opener(direct=_is_loopback(parts.hostname or ""))

    def send(self, notice: Notice) -> None:
        """Raises NotSentError: in words without the address, which may hold a secret."""
        body = notice.model_dump_json().encode()
        request = urllib.request.Request(  # noqa: S310  https, or loopback
            self._url, body, headers=self._headers(notice, body), method="POST"
        )
        try:
            with self._opener.open(request, timeout=_SECONDS):
                return
        except urllib.error.HTTPError as error:
            with error:
                raise _refused(error.code) from error
        except (OSError, ValueError) as error:  # ValueError: an answer that is none
            raise NotSentError(f"it cannot be reached ({_kind(error)})") from error

    def _headers(self, notice: Notice, body: bytes) -> dict[str, str]:
        mac = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "User-Agent": f"claude-workers/{__version__}",
            "X-CW-Notice": notice.id,
            SIGNATURE: f"sha256={mac}",
        }


def _parts(place: str) -> SplitResult:
    try:
        parts = urlsplit(place)
        host, user, _ = parts.hostname, parts.username, parts.port
    except ValueError:
        host = user = None
    safe = host and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)))
    plain = place.isascii() and place.isprintable() and " " not in place
    if not safe or user is not None or not plain:
        raise BadInputError("the address of a webhook cannot be used", hint=f"It is {_FORM}")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refused(status: int) -> NotSentError:
    if status in _NEVER:
        return RefusedNoticeError(f"it answered {status}")
    elsewhere = ", which leads elsewhere and is not followed" if 300 <= status < 400 else ""
    return NotSentError(f"it answered {status}{elsewhere}")


def _kind(error: Exception) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    return type(inner).__name__ if isinstance(inner, Exception) else "no answer"
