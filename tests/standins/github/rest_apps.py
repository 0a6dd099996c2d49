"""The way in for Apps: a signed JWT says which, and buys a token of one installation."""

import re
from typing import Any

import jwt

from .access import presented_token
from .model import App, Repo, Token
from .routing import Call, route
from .state import iso
from .wire import ApiError, Reply, not_found

_WANTS_JWT = re.compile(
    r"^/app(?:/.*)?$|^/repos/[^/]+/[^/]+/installation$|^/repositories/[0-9]+/installation$"
)
_LONGEST = 600  # seconds a JWT may be good for


def wants_jwt(path: str) -> bool:
    """Whether the Authorization header of a request for this path is an App's."""
    return bool(_WANTS_JWT.match(path))


@route("GET", "/app")
def app(call: Call) -> Reply:
    known = _app(call)
    slug = known.login.removesuffix("[bot]")
    return Reply(body={"id": known.id, "slug": slug, "name": slug, "permissions": {}})


@route("GET", "/app/installations")
def installations(call: Call) -> Reply:
    known = _app(call)
    return call.page([_installation(call, known)])


@route("GET", "/repos/{owner}/{repo}/installation")
def repo_installation(call: Call) -> Reply:
    known = _app(call)
    name = f"{call.params['owner']}/{call.params['repo']}".lower()
    if name not in {repo.full_name.lower() for repo in _installed_on(call, known)}:
        raise not_found()
    return Reply(body=_installation(call, known))


@route("POST", "/app/installations/{id}/access_tokens")
def installation_token(call: Call) -> Reply:
    known, data = _app(call), call.request.json()
    if known.installation != int(call.params["id"]):
        raise not_found()
    state, mine = call.state, _installed_on(call, known)
    if data.get("repositories"):
        wanted = {name.lower() for name in data["repositories"]}
        mine = [repo for repo in mine if repo.name.lower() in wanted]
        if len(mine) != len(wanted):
            text = "There is at least one repository that does not exist or is not accessible"
            raise ApiError(422, text)
    grants = dict(data.get("permissions") or known.granted)
    if any(not _granted(known, right, level) for right, level in grants.items()):
        raise ApiError(422, "The permissions requested are not granted to this installation.")
    token = Token(
        value=f"ghs_{state.new_id():036d}",
        login=known.login,
        repos=frozenset(repo.full_name.lower() for repo in mine),
        grants=grants,
        expires_at=state.now() + known.token_life,
    )
    state.tokens[token.value] = token
    body = {
        "token": token.value,
        "expires_at": iso(state.now() + known.token_life),
        "permissions": {"metadata": "read", **grants},
        "repositories": [call.render.repo(repo) for repo in mine],
    }
    return Reply(status=201, body=body)


def _granted(known: App, right: str, level: str) -> bool:
    """As in "Create an installation access token for an app": nothing "that the app was not
    granted".
    """
    held = {"metadata": "read", **known.granted}.get(right, "none")
    return held in {"write", level}


def _installed_on(call: Call, known: App) -> list[Repo]:
    repos = call.state.repos.values()
    return [one for one in repos if known.login.lower() in one.permissions]


def _installation(call: Call, known: App) -> dict[str, Any]:
    return {
        "id": known.installation,
        "app_id": known.id,
        "app_slug": known.login.removesuffix("[bot]"),
        "repository_selection": "selected",
        "permissions": {"metadata": "read", **known.granted},
        "events": [],
        "access_tokens_url": f"{call.request.api_base}/app/installations/{known.installation}"
        "/access_tokens",
    }


def _app(call: Call) -> App:
    """The App that signed the JWT. GitHub wants RS256, and refuses one that is good for long."""
    token = presented_token(call.request.headers.get("authorization", "")) or ""
    try:
        claimed = jwt.decode(token, options={"verify_signature": False})
        known = call.state.apps[int(claimed["iss"])]
        claims = jwt.decode(
            token, known.public_key, algorithms=["RS256"], options={"require": ["iat", "exp"]}
        )
    except (jwt.PyJWTError, KeyError, ValueError, TypeError):
        raise ApiError(401, "A JSON web token could not be decoded") from None
    if claims["exp"] - call.state.now().timestamp() > _LONGEST:
        raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
    return known
