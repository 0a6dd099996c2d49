"""What may be done to threads of a review."""

from . import gitdiff
from .access import Viewer
from .checks import require_editor, require_grant, require_open_repo
from .model import Comment, Issue, Repo, ReviewThread
from .pull_actions import pull_of
from .state import State
from .wire import ApiError, invalid


def thread_of(nodes: dict[str, object], node_id: str) -> tuple[Repo, Issue, ReviewThread]:
    found = nodes.get(node_id)
    if isinstance(found, tuple) and len(found) == 3:
        repo, issue, thread = found
        if isinstance(thread, ReviewThread):
            return repo, issue, thread
    raise ApiError(404, f"Could not resolve to a node with the global id of '{node_id}'")


def begin(state: State, repo: Repo, issue: Issue, thread: ReviewThread) -> None:
    """`diffHunk` ends with the line that is talked about."""
    pull = pull_of(issue)
    thread.sha = pull.head_sha
    if thread.line is not None:
        ends = (pull.base_sha, pull.head_sha)
        thread.hunk = gitdiff.hunk(repo.path, *ends, thread.path, thread.line)
    pull.threads.append(thread)
    state.nodes[f"PRRT_{thread.id}"] = (repo, issue, thread)
    state.touch(issue)


def reply(
    state: State, viewer: Viewer, repo: Repo, issue: Issue, thread: ReviewThread, body: str
) -> Comment:
    """GraphQL's addPullRequestReviewThreadReply: whoever may read may answer."""
    viewer.require(repo, "read", "pull_requests")
    require_grant(viewer, repo, "pull_requests")
    require_open_repo(repo)
    if not body.strip():
        raise invalid("PullRequestReviewComment", "body", "missing_field", "Body can't be blank")
    now = state.now()
    comment = Comment(
        id=state.new_id(), author=viewer.login, body=body, created_at=now, updated_at=now
    )
    state.user(viewer.login)
    thread.replies.append(comment)
    state.touch(issue)
    return comment


def set_resolved(
    state: State,
    viewer: Viewer,
    repo: Repo,
    issue: Issue,
    thread: ReviewThread,
    *,
    resolved: bool,
) -> None:
    """As in "Commenting on a pull request": by whoever opened it, and those who may write."""
    require_editor(viewer, repo, issue, "write")
    thread.resolved = resolved
    state.touch(issue)
