"""What `cw doctor` asks the model's API: does it know the logins that workers have?

One call each, to the list of models, which costs nothing.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cw.check import Check
from cw.cli.context import Cli
from cw.no_redirects import opener

if TYPE_CHECKING:
    from cw.homes.layout import Home

_API = "https://api.anthropic.com"
_SECONDS = 10
_UNKNOWN = 401
_KNOWN = {200, 403}  # a login of a narrow scope may not list models
_NO_LIST = {404, 405}  # gateways have only what claude needs
_VERSION = {"anthropic-version": "2023-06-01"}


def login_checks(cli: Cli) -> Iterator[Check]:
    """Each distinct login once, under the name of the first worker that has it."""
    from cw.homes.layout import homes

    if cli.program.name != "claude":  # of another one's API nothing is known here
        return
    seen = set()
    for home in homes(cli.settings.workers_root):
        login = _login(cli, home)
        if login and login not in seen:
            seen.add(login)
            yield _check(home, *login)


def _login(cli: Cli, home: Home) -> tuple[str, str, str] | None:
    """The one that claude takes, its value, and where it is used."""
    from cw.credentials.agentenv import own_variables
    from cw.token_names import MODEL_LOGINS

    passed = {name: cli.environ[name] for name in cli.settings.agent_env if name in cli.environ}
    env = passed | own_variables(home)
    name = next((login for login in MODEL_LOGINS if env.get(login)), "")
    return (name, env[name], env.get("ANTHROPIC_BASE_URL") or _API) if name else None


def _check(home: Home, name: str, value: str, base: str) -> Check:
    title = f"worker {home.id} login"
    headers = {"x-api-key": value}
    if name != "ANTHROPIC_API_KEY":
        headers = {"authorization": f"Bearer {value}", "anthropic-beta": "oauth-2025-04-20"}
    try:
        status = _status(f"{base.rstrip('/')}/v1/models?limit=1", headers | _VERSION)
    except (OSError, ValueError) as error:  # ValueError: what is no address
        why = f"{base} does not answer ({type(error).__name__})"
        return Check(title, "warn", f"{name} was not tried: {why}")
    if status == _UNKNOWN:
        fix = f"Set another one in {home.zshenv}"
        return Check(title, "fail", f"{name} is not accepted at {base}", fix)
    if status in _NO_LIST:
        return Check(title, "ok", f"{name} was not tried: {base} lists no models ({status})")
    if status not in _KNOWN:
        return Check(title, "warn", f"{name} was not tried: {base} answers {status}")
    return Check(title, "ok", f"{name} is known at {base}")


def _status(url: str, headers: dict[str, str]) -> int:
    if not url.startswith(("http://", "https://")):
        raise ValueError(url)
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  looked at above
    try:
        with opener().open(request, timeout=_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
