"""Facts about repositories and people that seldom change. Each costs one read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cw.errors import GitHubRefusedError
from cw.forges.trusted_authors import BOT, is_bot

if TYPE_CHECKING:
    from cw.github.listing import ListReader

WRITERS = frozenset({"admin", "maintain", "write"})


def issue_path(repo: str, number: int) -> str:
    return f"/repos/{repo}/issues/{number}"


def is_open(reader: ListReader, repo: str, number: int) -> bool:
    """Of an issue or a pull request."""
    return bool(reader.get(issue_path(repo, number), lambda found: found["state"] == "open"))


def pull_state(reader: ListReader, repo: str, number: int) -> str:
    """open, merged or closed."""

    def digest(found: Any) -> str:
        return "merged" if found.get("merged_at") else str(found["state"])

    return str(reader.get(f"/repos/{repo}/pulls/{number}", digest))


def bot_login(name: str) -> str:
    """As REST writes it."""
    return name if is_bot(name) else f"{name}{BOT}"


def permission_path(repo: str, login: str) -> str:
    return f"/repos/{repo}/collaborators/{login}/permission"


def may_write(reader: ListReader, repo: str, login: str) -> bool:
    """By the collaborator's permission, not by the association. Bots and the unknown may not."""
    if not login or is_bot(login):
        return False
    try:
        held = reader.get(permission_path(repo, login), lambda found: str(found["permission"]))
    except GitHubRefusedError:
        return False  # gone, or never there
    return held in WRITERS


def own_login(reader: ListReader) -> str:
    return reader.github.app_login() or str(reader.get("/user", lambda found: str(found["login"])))


def repos_of(reader: ListReader, owner: str) -> list[str]:
    """An account's repositories that have open issues and are not archived."""
    kind = reader.get(f"/users/{owner}", lambda found: str(found["type"]))
    if kind == "Organization":
        path, wanted = f"/orgs/{owner}/repos", {"type": "all"}
    elif owner.lower() == own_login(reader).lower():
        path, wanted = "/user/repos", {"affiliation": "owner"}
    else:
        path, wanted = f"/users/{owner}/repos", {"type": "owner"}
    rows = reader.pages(path, _repo_digest, {**wanted, "sort": "full_name"})
    return [name for name, worth_it in rows if worth_it and _is_of(name, owner)]


def _repo_digest(found: Any) -> list[list[Any]]:
    return [
        [row["full_name"], not row["archived"] and row.get("open_issues_count", 1) > 0]
        for row in found
    ]


def _is_of(name: str, owner: str) -> bool:
    return name.split("/", maxsplit=1)[0].lower() == owner.lower()
