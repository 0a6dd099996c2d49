"""What may be done to issues, with GitHub's checks; shared by REST and GraphQL."""

from collections.abc import Sequence

from . import gitrepo, label_actions, pushes
from .access import Viewer, at_least, permission_of
from .checks import area_of, require_editor, require_grant, require_open_repo
from .model import Comment, Issue, Repo
from .state import State
from .wire import invalid, not_found


def next_number(repo: Repo) -> int:
    return max(repo.issues, default=0) + 1


def open_issue(
    state: State,
    viewer: Viewer,
    repo: Repo,
    title: str,
    body: str | None,
    labels: Sequence[str] = (),
    assignees: Sequence[str] = (),
) -> Issue:
    viewer.require_login()
    viewer.require(repo, "read", "issues")
    require_grant(viewer, repo, "issues")
    require_open_repo(repo)
    if not title:
        raise invalid("Issue", "title", "missing_field")
    now = state.now()
    issue = Issue(
        id=state.new_id(),
        number=next_number(repo),
        title=title,
        body=body,
        author=viewer.login,
        created_at=now,
        updated_at=now,
    )
    state.add_issue(repo, issue)
    if viewer.may(repo, "triage", "issues"):  # GitHub drops them silently otherwise
        label_actions.add_labels(state, viewer, repo, issue, labels)
        assign(state, viewer, repo, issue, assignees)
    return issue


def comment_on(state: State, viewer: Viewer, repo: Repo, issue: Issue, body: str) -> Comment:
    viewer.require_login()
    viewer.require(repo, "read", area_of(issue))
    require_grant(viewer, repo, area_of(issue))
    require_open_repo(repo)
    if not body:
        raise invalid("IssueComment", "body", "missing_field")
    now = state.now()
    comment = Comment(
        id=state.new_id(), author=viewer.login, body=body, created_at=now, updated_at=now
    )
    state.add_comment(repo, issue, comment)
    return comment


def assign(state: State, viewer: Viewer, repo: Repo, issue: Issue, logins: Sequence[str]) -> None:
    """Logins without access are dropped silently, as GitHub does."""
    if not logins:
        return
    viewer.require(repo, "triage", area_of(issue))
    for login in logins:
        welcome = login.lower() in repo.permissions and login not in issue.assignees
        if welcome and at_least(permission_of(repo, login), "read"):
            issue.assignees.append(login)
            state.add_event(issue, "assigned", viewer.login, assignee=login)


def unassign(state: State, viewer: Viewer, repo: Repo, issue: Issue, logins: Sequence[str]) -> None:
    viewer.require(repo, "triage", area_of(issue))
    for login in [name for name in issue.assignees if name in logins]:
        issue.assignees.remove(login)
        state.add_event(issue, "unassigned", viewer.login, assignee=login)


def rewrite(
    state: State,
    viewer: Viewer,
    repo: Repo,
    issue: Issue,
    *,
    title: str | None = None,
    body: str | None = None,
) -> None:
    require_editor(viewer, repo, issue, "write")
    if title is not None and title != issue.title:
        issue.title = title
        state.add_event(issue, "renamed", viewer.login)
    if body is not None:
        issue.body = body
        issue.edited_at, issue.editor = state.now(), viewer.login
        state.touch(issue)


def rewrite_comment(state: State, issue: Issue, comment: Comment, body: str, editor: str) -> None:
    comment.body = body
    comment.updated_at = comment.edited_at = state.now()
    comment.editor = editor
    state.touch(issue)


def set_open(
    state: State,
    viewer: Viewer,
    repo: Repo,
    issue: Issue,
    *,
    is_open: bool,
    reason: str | None = None,
) -> None:
    require_editor(viewer, repo, issue, "triage")
    if is_open and issue.state == "closed":
        _require_reopenable(state, issue)
        issue.state, issue.closed_at, issue.closed_by = "open", None, None
        issue.state_reason = None if issue.pull else "reopened"
        state.add_event(issue, "reopened", viewer.login)
    elif not is_open and issue.state == "open":
        pushes.close(state, issue, viewer.login, reason)


def _require_reopenable(state: State, issue: Issue) -> None:
    pull = issue.pull
    if pull is None:
        return
    branch_lives = gitrepo.head(state.repo(pull.head_repo).path, pull.head_ref) is not None
    if pull.merged_at or not branch_lives:
        raise invalid("PullRequest", "state", "custom", "state cannot be changed.")


def find_comment(repo: Repo, comment_id: int) -> tuple[Issue, Comment]:
    for issue in repo.issues.values():
        for comment in issue.comments:
            if comment.id == comment_id:
                return issue, comment
    raise not_found()
