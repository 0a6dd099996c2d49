"""The caller, other users, the rate limit, and the way in for Apps."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

from .access import presented_token
from .model import App, Token
from .routing import Call, route
from .state import iso
from .wire import ApiError, Reply, not_found

TOKEN_LIFE = timedelta(hours=1)


@route("GET", "/")
def root(call: Call) -> Reply:
    return Reply(
        body={"current_user_url": f"{call.request.api_base}/user"},
        headers={"X-OAuth-Scopes": "repo, read:org, gist"},
    )


@route("GET", "/meta")
def meta(call: Call) -> Reply:
    return Reply(body={"verifiable_password_authentication": False})


@route("GET", "/user")
def me(call: Call) -> Reply:
    return Reply(body=call.render.user(call.viewer.require_login()) | {"name": None})


@route("GET", "/users/{login}")
def user(call: Call) -> Reply:
    login = call.params["login"]
    if login.lower() not in call.state.users:
        raise not_found()
    return Reply(body=call.render.user(login) | {"name": None})


@route("GET", "/rate_limit")
def rate_limit(call: Call) -> Reply:
    resources = call.limits.overview(call.viewer.login)
    return Reply(body={"resources": resources, "rate": resources["core"]})


@route("GET", "/app")
def app(call: Call) -> Reply:
    known = _app(call)
    slug = known.login.removesuffix("[bot]")
    return Reply(body={"id": known.id, "slug": slug, "name": slug, "permissions": {}})


@route("POST", "/app/installations/{id}/access_tokens")
def installation_token(call: Call) -> Reply:
    known, data = _app(call), call.request.json()
    if known.installation != int(call.params["id"]):
        raise not_found()
    state = call.state
    mine = [r for r in state.repos.values() if known.login.lower() in r.permissions]
    if data.get("repositories"):
        mine = [repo for repo in mine if repo.name in data["repositories"]]
    token = Token(
        value=f"ghs_{state.new_id()}",
        login=known.login,
        repos=frozenset(repo.full_name.lower() for repo in mine),
        grants=data.get("permissions"),
        expires_at=state.now() + TOKEN_LIFE,
    )
    state.tokens[token.value] = replace(token)
    body = {
        "token": token.value,
        "expires_at": iso(state.now() + TOKEN_LIFE),
        "permissions": data.get("permissions") or {},
        "repositories": [call.render.repo(repo) for repo in mine],
    }
    return Reply(status=201, body=body)


def _app(call: Call) -> App:
    """The App named in the JWT. The signature is taken on trust: no RSA in the stdlib."""
    token = presented_token(call.request.headers.get("authorization", "")) or ""
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        return call.state.apps[int(claims["iss"])]
    except (IndexError, KeyError, ValueError, TypeError):
        raise ApiError(401, "A JSON web token could not be decoded") from None
