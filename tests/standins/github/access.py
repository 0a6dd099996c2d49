"""Who is asking, and what may they do."""

import base64
import binascii

from .model import Repo, Token
from .state import State
from .wire import ApiError, not_found

LEVELS = ("none", "read", "triage", "write", "maintain", "admin")


class Viewer:
    """One caller for the length of one request; without a token: the public."""

    def __init__(self, state: State, token: Token | None) -> None:
        self.state = state
        self.token = token
        self.login = token.login if token else ""

    def permission(self, repo: Repo) -> str:
        if not self._token_reaches(repo):
            return "none" if repo.private else "read"
        return permission_of(repo, self.login)

    def may(self, repo: Repo, level: str, area: str = "metadata") -> bool:
        if self.token and self.token.grants is not None and area != "metadata":
            granted = self.token.grants.get(area, "none")
            if at_least(level, "triage") and granted != "write":
                return False
            if granted == "none" and repo.private:
                return False
        return at_least(self.permission(repo), level)

    def require(self, repo: Repo, level: str, area: str = "metadata") -> None:
        """404 where nothing may be seen, so that private names do not leak; else 403."""
        if self.may(repo, level, area):
            return
        if not at_least(self.permission(repo), "read"):
            raise not_found()
        if not self.login:
            raise ApiError(401, "Requires authentication")
        raise ApiError(403, self.refusal(), headers=self.wanted(area, level))

    def wanted(self, area: str, level: str = "write") -> dict[str, str]:
        """What this endpoint wants: told to tokens that have such permissions."""
        narrow = self.token is not None and self.token.grants is not None
        right = "write" if at_least(level, "triage") else "read"
        return {"X-Accepted-GitHub-Permissions": f"{area}={right}"} if narrow else {}

    def scopes(self) -> dict[str, str]:
        """The scopes that the token has: told of classic ones."""
        classic = self.token is not None and self.token.grants is None
        return {"X-OAuth-Scopes": ", ".join(self.token.scopes)} if classic and self.token else {}

    def refusal(self) -> str:
        kind = self.token.grants is not None if self.token else False
        if kind:
            app = self.token is not None and self.token.value.startswith("ghs_")
            return f"Resource not accessible by {'integration' if app else 'personal access token'}"
        return "Must have admin rights to Repository."

    def sees(self, repo: Repo) -> bool:
        return at_least(self.permission(repo), "read")

    def require_login(self) -> str:
        if not self.login:
            raise ApiError(401, "Requires authentication")
        return self.login

    def _token_reaches(self, repo: Repo) -> bool:
        return (
            self.token is None
            or self.token.repos is None
            or repo.full_name.lower() in self.token.repos
        )


def at_least(held: str, wanted: str) -> bool:
    return LEVELS.index(held) >= LEVELS.index(wanted)


def permission_of(repo: Repo, login: str) -> str:
    floor = "none" if repo.private else "read"
    return repo.permissions.get(login.lower(), floor)


def association(repo: Repo, login: str) -> str:
    if login.lower() == repo.owner.lower():
        return "OWNER"
    if at_least(permission_of(repo, login), "triage") or (
        repo.private and login.lower() in repo.permissions
    ):
        return "COLLABORATOR"
    merged = (i for i in repo.issues.values() if i.pull and i.pull.merged_at)
    if any(issue.author.lower() == login.lower() for issue in merged):
        return "CONTRIBUTOR"
    return "NONE"


def presented_token(authorization: str) -> str | None:
    """The secret in an Authorization header, whatever its scheme; None without one."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() in {"token", "bearer"}:
        return value.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return password if password not in {"", "x-oauth-basic"} else user
    return None


def identify(state: State, authorization: str) -> Viewer:
    value = presented_token(authorization)
    if value is None:
        return Viewer(state, None)
    token = state.tokens.get(value)
    expired = token and token.expires_at and token.expires_at <= state.now()
    if token is None or expired:
        raise ApiError(401, "Bad credentials")
    return Viewer(state, token)
