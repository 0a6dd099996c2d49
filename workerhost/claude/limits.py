"""What claude's words for a failure mean, and what it says of its account's limits: one table each.

The words are those of 2.1.202 to 2.1.332. A word that is in neither table says nothing, and the
status decides. Never an exit code or a result's `subtype`: a limit, a bad key and an outage have
the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cw.accounts.holds import ALL_MODELS, Window
from cw.claude.events import MALFORMED
from cw.reasons import Reason
from workerhost.programs.progress import Failure

_PERSONS_KEY, _CREDIT = Reason.AUTHENTICATION_FAILED, Reason.BILLING_ERROR
_LIMIT, _AWAY = Reason.USAGE_LIMIT, Reason.API_UNAVAILABLE

# `error` of the assistant's last line.
WORDS: dict[str, Reason] = {
    **dict.fromkeys(
        (
            "authentication_failed",
            "oauth_org_not_allowed",
            "account_on_hold",
            "verification_required",
            "cloud_credential_error",
        ),
        _PERSONS_KEY,
    ),
    "billing_error": _CREDIT,
    "model_not_found": Reason.MODEL_NOT_FOUND,
    "invalid_request": Reason.INVALID_REQUEST,
    "max_output_tokens": Reason.API_ERROR,
    **dict.fromkeys(("rate_limit", "overloaded", "server_error", "api_error"), _AWAY),
}
# `api_error`, the typed kind that newer versions add. It says more than the word.
KINDS: dict[str, Reason] = {
    **dict.fromkeys(
        (
            "stored_login_refused",
            "oauth_refresh_store_refused",
            "provider_credentials",
            "gateway_signin_required",
            "gateway_session_expired",
            "api_key_auth_disabled",
            "org_disabled_credential",
            "invalid_credential_header",
        ),
        _PERSONS_KEY,
    ),
    **dict.fromkeys(("model_requires_usage_credits", "long_context_credits_required"), _CREDIT),
    "usage_limit_reached": _LIMIT,
    **dict.fromkeys(
        (
            "no_response",
            "connection_failed",
            "stream_idle_timeout",
            "computer_slept",
            "empty_completion",
            "gateway_content_type",
            "network_edge_blocked",
            "tls_untrusted_ca",
            "tls_cert_signature_failure",
        ),
        _AWAY,
    ),
}
STATUSES: dict[int, Reason] = {
    **dict.fromkeys((401, 403), _PERSONS_KEY),
    402: _CREDIT,
    **dict.fromkeys((408, 429, 500, 502, 503, 504, 529), _AWAY),
}
_FAMILIES = ("opus", "sonnet", "haiku", "fable")  # a limit of one holds its models only
_ONE_MODEL = frozenset({"model_requires_usage_credits", "long_context_credits_required"})


@dataclass(slots=True)
class Limits:
    """Of one run, from its first line. The latest word counts: a limit that was in force may be
    over, or paid to be over.
    """

    windows: tuple[Window, ...] = ()
    _until: datetime | None = None  # a usage limit's end, while the API rejects us for it
    _scope: str = ALL_MODELS

    def hear(self, info: Mapping[str, Any]) -> None:
        """A `rate_limit_info`. A window in it that says rejected refuses nothing by itself."""
        self._until, resets_at = None, info.get("resetsAt")
        kind = str(info.get("rateLimitType") or "")
        if info.get("status") == "rejected" and isinstance(resets_at, (int, float)):
            self._until = datetime.fromtimestamp(resets_at).astimezone()
            self._scope = _family(kind)
        try:
            self.windows = _windows(info, kind)
        except MALFORMED:
            self.windows = ()

    def failure(self, result: Mapping[str, Any], word: str, kind: str, model: str) -> Failure:
        """Why the API serves the run no further. What needs a person comes before what passes: a
        credential that is refused stays so when a limit is over.
        """
        status = result.get("api_error_status")
        said = str(result.get("result") or kind or word or status)
        reason = KINDS.get(kind) or _by_word(word, status)
        if reason is _CREDIT:
            return Failure(
                reason=reason, said=said, scope=_family(model) if kind in _ONE_MODEL else ALL_MODELS
            )
        if reason in {_AWAY, _LIMIT} and self._until:
            return Failure(reason=_LIMIT, said=said, until=self._until, scope=self._scope)
        if reason is _LIMIT:  # a limit of spending has no end of its own
            return Failure(reason=_CREDIT, said=said)
        return Failure(reason=reason, said=said)


def _by_word(word: str, status: object) -> Reason:
    """An organization that takes no keys is an `invalid_request` before 2.1.330, with a status that
    says more.
    """
    found, by_status = WORDS.get(word), _by_status(status)
    if found is Reason.INVALID_REQUEST and by_status in {_PERSONS_KEY, _CREDIT}:
        return by_status
    return found or by_status


def _by_status(status: object) -> Reason:
    """None: nobody answered."""
    if status is None:
        return _AWAY
    return STATUSES.get(status, Reason.API_ERROR) if isinstance(status, int) else Reason.API_ERROR


def _family(name: str) -> str:
    """Of a model or of a limit's type: `seven_day_opus`."""
    return next((family for family in _FAMILIES if family in name), ALL_MODELS)


def _windows(info: Mapping[str, Any], kind: str) -> tuple[Window, ...]:
    """Newer versions tell all of them, older ones the one that matters."""
    several = info.get("unifiedWindows")
    rows = several if isinstance(several, dict) and several else {kind: info} if kind else {}
    return tuple(
        Window(
            kind=str(name)[:40],
            scope=_family(str(name)),
            utilization=float(row["utilization"]),
            resets_at=datetime.fromtimestamp(float(row["resetsAt"]), UTC),
        )
        for name, row in sorted(rows.items())
        if isinstance(row, dict) and row.get("utilization") is not None and row.get("resetsAt")
    )
