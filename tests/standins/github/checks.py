"""Checks that several actions share."""

from .access import Viewer
from .model import Issue, Repo
from .wire import ApiError


def area_of(issue: Issue) -> str:
    return "pull_requests" if issue.pull else "issues"


def require_open_repo(repo: Repo) -> None:
    if repo.archived:
        raise ApiError(403, "Repository was archived so is read-only.")


def require_grant(viewer: Viewer, repo: Repo, area: str) -> None:
    """Anyone who can read may write issues and comments, unless the token was narrowed."""
    grants = viewer.token.grants if viewer.token else None
    if grants is not None and grants.get(area) != "write":
        raise ApiError(403, viewer.refusal(), headers=viewer.wanted(area))


def require_editor(viewer: Viewer, repo: Repo, issue: Issue, level: str) -> None:
    if viewer.login and viewer.login == issue.author and viewer.sees(repo):
        require_grant(viewer, repo, area_of(issue))
    else:
        viewer.require(repo, level, area_of(issue))
    require_open_repo(repo)
