"""Whose account a worker works on. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

YEARLY = "CLAUDE_CODE_OAUTH_TOKEN"  # what `claude setup-token` makes
NAME_VARIABLE = "CW_ACCOUNT"  # in a worker's .zshenv: how people call its account
_ID_CHARS = 16  # 64 bits of the digest
_NAME_CHARS = 40
_SHORT = 6


class AccountKind(StrEnum):
    SUBSCRIPTION = "subscription"  # a login with windows of hours and days
    KEY = "key"  # paid by what is used
    GATEWAY = "gateway"  # whatever stands behind a URL of the worker's own
    NONE = "none"  # no credential in the environment: whatever the program finds in its HOME


_SHOWN = {
    AccountKind.SUBSCRIPTION: "oauth",
    AccountKind.KEY: "api",
    AccountKind.GATEWAY: "gateway",
    AccountKind.NONE: "own",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """`id`: a digest, from which no credential can be told. `name`: as a person gave it, else kind
    and the beginning of `id`.
    """

    id: str
    kind: AccountKind
    name: str
    yearly: bool = False  # its credential ends after a year


def identity(env: Mapping[str, str], logins: Sequence[str], api: str, worker: str) -> Identity:
    """The account of an agent with this environment. `logins`: variables that hold a credential, of
    which the first that is set counts; `api`: the URL of another API than the program's own.
    Without a credential each worker is an account of its own.
    """
    login = next((name for name in logins if env.get(name)), "")
    kind = _kind(login, api)
    secret = env.get(login) or worker
    digest = hashlib.sha256(f"{login}\0{api}\0{secret}".encode()).hexdigest()[:_ID_CHARS]
    given = "".join(char for char in env.get(NAME_VARIABLE, "") if char.isprintable())
    given = "".join(given.split())[:_NAME_CHARS]
    fallback = worker if kind is AccountKind.NONE else digest[:_SHORT]
    name = given or f"{_SHOWN[kind]}-{fallback}"
    return Identity(digest, kind, name, yearly=login == YEARLY)


def _kind(login: str, api: str) -> AccountKind:
    if not login:
        return AccountKind.NONE
    if "OAUTH" in login:
        return AccountKind.SUBSCRIPTION
    return AccountKind.GATEWAY if api else AccountKind.KEY
