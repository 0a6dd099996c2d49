"""The caller, other users, and the rate limit."""

from .routing import Call, route
from .wire import Reply, not_found


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
