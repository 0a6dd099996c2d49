"""What an API that refuses makes claude say, and what we read in it: the rows of
`workerhost.claude.limits` that an API can bring about.

Not among them: what needs a cloud's or a gateway's login, a login stored by claude itself, TLS or a
firewall in front of the API, and waits of minutes (`stream_idle_timeout`). `overloaded` and
`api_error` are words of claude's that neither version says of a status.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from cw.accounts.holds import ALL_MODELS
from cw.reasons import Reason
from tests.contract.room import Ended, Room
from tests.standins.messages import Turn, drop, error, limit_headers, text, usage_limit
from workerhost.claude.limits import KINDS, STATUSES, WORDS
from workerhost.claude.stream import Stream
from workerhost.programs.progress import Failure

Env = Mapping[str, str | None]
KEY: Env = {}
OAUTH: Env = {"ANTHROPIC_API_KEY": None, "CLAUDE_CODE_OAUTH_TOKEN": "dummy-token"}
MENDED, CREDIT, AWAY = Reason.AUTHENTICATION_FAILED, Reason.BILLING_ERROR, Reason.API_UNAVAILABLE
NO_RETRY = {"x-should-retry": "false"}
NO_CREDITS = NO_RETRY | {
    name: value
    for name, value in limit_headers("rejected", 0).items()
    if "overage" in name or name.endswith("unified-status")
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """`word`: the assistant's `error`; `kind`: its `api_error`, which only newer versions have.
    `before`: what older ones say and mean.
    """

    turn: Turn
    word: str
    reason: Reason
    kind: str | None = None
    before: tuple[str, Reason] | None = None
    env: Env = field(default_factory=dict)
    model: str = "sonnet"
    scope: str = ALL_MODELS


ROWS: dict[str, Row] = {
    "authentication_failed": Row(turn=error(401), word="authentication_failed", reason=MENDED),
    "authentication_failed of a token": Row(
        turn=error(401), word="authentication_failed", reason=MENDED, env=OAUTH
    ),
    "authentication_failed by 403": Row(
        turn=error(403), word="authentication_failed", reason=MENDED
    ),
    "oauth_org_not_allowed": Row(
        turn=error(403, "OAuth authentication is currently not allowed for this organization."),
        word="oauth_org_not_allowed",
        reason=MENDED,
        env=OAUTH,
    ),
    "verification_required": Row(
        turn=error(403, "Verify it.", code="verification_required"),
        word="verification_required",
        reason=MENDED,
        before=("authentication_failed", MENDED),
        env=OAUTH,
    ),
    "api_key_auth_disabled": Row(
        turn=error(403, "API key authentication is disabled for this organization."),
        word="invalid_request",
        kind="api_key_auth_disabled",
        reason=MENDED,
        before=("invalid_request", MENDED),
    ),
    "org_disabled_credential": Row(
        turn=error(400, "This organization has been disabled."),
        word="invalid_request",
        kind="org_disabled_credential",
        reason=MENDED,
        before=("invalid_request", Reason.INVALID_REQUEST),
    ),
    "billing_error": Row(
        turn=error(400, "Your credit balance is too low to access the Anthropic API."),
        word="billing_error",
        reason=CREDIT,
    ),
    "model_requires_usage_credits": Row(
        turn=error(429, "credits", code="credits_required", headers=NO_CREDITS),
        word="rate_limit",
        kind="model_requires_usage_credits",
        reason=CREDIT,
        before=("rate_limit", AWAY),
        env=OAUTH,
        model="claude-fable-5",
        scope="fable",
    ),
    "long_context_credits_required": Row(
        turn=error(429, "Extra usage is required for long context.", headers=NO_RETRY),
        word="rate_limit",
        kind="long_context_credits_required",
        reason=CREDIT,
        before=("rate_limit", AWAY),
        env=OAUTH,
        scope="sonnet",
    ),
    "model_not_found": Row(
        turn=error(404, "model: none"), word="model_not_found", reason=Reason.MODEL_NOT_FOUND
    ),
    "invalid_request": Row(
        turn=error(400, "prompt is too long: 250000 tokens > 200000 maximum"),
        word="invalid_request",
        reason=Reason.INVALID_REQUEST,
    ),
    "max_output_tokens": Row(
        turn=text("…", cut=True),
        word="max_output_tokens",
        kind="max_output_tokens",
        reason=Reason.API_ERROR,
    ),
    "rate_limit": Row(turn=error(429), word="rate_limit", reason=AWAY),
    "usage_limit_reached": Row(
        turn=usage_limit(time.time() + 3600),
        word="rate_limit",
        kind="usage_limit_reached",
        reason=Reason.USAGE_LIMIT,
        env=OAUTH,
    ),
    "usage_limit_reached of one model": Row(
        turn=usage_limit(time.time() + 3600, "seven_day_opus"),
        word="rate_limit",
        kind="usage_limit_reached",
        reason=Reason.USAGE_LIMIT,
        env=OAUTH,
        model="opus",
        scope="opus",
    ),
    "usage_limit_reached without a reset": Row(
        turn=error(429, "credits", code="credits_required", headers=NO_CREDITS),
        word="rate_limit",
        kind="usage_limit_reached",
        reason=CREDIT,
        before=("rate_limit", AWAY),
        env=OAUTH,
    ),
    "connection_failed": Row(
        turn=drop(), word="server_error", kind="connection_failed", reason=AWAY
    ),
    **{
        f"server_error by {status}": Row(turn=error(status), word="server_error", reason=AWAY)
        for status in (500, 502, 503, 504, 529)
    },
    "402": Row(turn=error(402), word="unknown", reason=CREDIT),
    "408": Row(turn=error(408), word="unknown", reason=AWAY),
}


def read(ended: Ended) -> Failure:
    stream = Stream()
    for line in ended.lines:
        stream.add(line)
    assert stream.progress.failure, ended.result
    return stream.progress.failure


@pytest.mark.parametrize("name", ROWS)
def test_what_claude_says_of_a_refusal_is_read_as_it_is_meant(room: Room, name: str) -> None:
    row = ROWS[name]
    ended = room.run(row.turn, env=row.env, model=row.model)
    last, failure = ended.of("assistant")[-1], read(ended)
    said = (last["error"], last.get("api_error"), failure.reason)

    old = row.before or (row.word, row.reason)
    assert said in room.claude.differs(
        old=(old[0], None, old[1]), new=(row.word, row.kind, row.reason)
    )
    assert failure.scope == (row.scope if failure.reason is row.reason else ALL_MODELS)


def test_rows_that_are_not_tried_are_known() -> None:
    """A new row of the tables is tried here, or is of those that no API can bring about."""
    said = {row.word for row in ROWS.values()} | {str(row.kind) for row in ROWS.values()}
    statuses = {row.turn.failure.status for row in ROWS.values() if row.turn.failure}

    assert WORDS.keys() - said == {
        "account_on_hold",
        "cloud_credential_error",
        "overloaded",
        "api_error",
    }
    assert KINDS.keys() - said == {
        "stored_login_refused",
        "oauth_refresh_store_refused",
        "provider_credentials",
        "gateway_signin_required",
        "gateway_session_expired",
        "invalid_credential_header",
        "no_response",
        "stream_idle_timeout",
        "computer_slept",
        "empty_completion",
        "gateway_content_type",
        "network_edge_blocked",
        "tls_untrusted_ca",
        "tls_cert_signature_failure",
    }
    assert STATUSES.keys() - statuses == set()
