"""Reviews of pull requests, and what is said about their files."""

from typing import Any

from . import review_actions
from .checks import require_grant, require_open_repo
from .gitrepo import changed_files
from .model import Comment, Issue, Pull, Repo, ReviewThread
from .pull_actions import pull_of
from .render import Json
from .rest_pulls import PULL
from .routing import Call, route
from .wire import ApiError, Reply, invalid

_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
_OWN = {"APPROVE": "approve", "REQUEST_CHANGES": "request changes on"}


@route("POST", PULL + "/reviews")
def create_review(call: Call) -> Reply:
    """REST's "Create a review for a pull request": 422 with APPROVE and REQUEST_CHANGES for whoever
    opened it. An opinion replaces the one that its account had.
    """
    repo, issue, pull, data = _writable(call)
    event = data.get("event", "")
    if event not in _STATES:
        raise invalid("PullRequestReview", "event", "invalid")
    if event != "APPROVE" and not data.get("body"):
        raise invalid("PullRequestReview", "body", "missing_field")
    if event in _OWN and call.viewer.login == issue.author:
        raise PlainError(f"Can not {_OWN[event]} your own pull request")
    commit = data.get("commit_id") or pull.head_sha
    if event in _OWN:
        pull.reviews[call.viewer.login] = _STATES[event]
    pull.said.append((call.viewer.login, _STATES[event], commit, data.get("body") or ""))
    call.state.touch(issue)
    return Reply(body=_reviews(call, repo, issue)[-1])


@route("GET", PULL + "/reviews")
def list_reviews(call: Call) -> Reply:
    repo = call.repo()
    return call.page(_reviews(call, repo, call.issue(repo)))


def _reviews(call: Call, repo: Repo, issue: Issue) -> list[Json]:
    """In the order in which they were submitted."""
    return [
        {
            "id": at,
            "user": call.render.user(login),
            "body": body,
            "state": state,
            "commit_id": commit,
            "html_url": f"{call.render.repo_page(repo)}/pull/{issue.number}",
        }
        for at, (login, state, commit, body) in enumerate(pull_of(issue).said, 1)
    ]


@route("POST", PULL + "/comments")
def create_review_comment(call: Call) -> Reply:
    """REST's "Create a review comment for a pull request", with subject_type "file"."""
    repo, issue, pull, data = _writable(call)
    if not data.get("body"):
        raise invalid("PullRequestReviewComment", "body", "missing_field")
    paths = {file.path for file in changed_files(repo.path, pull.base_sha, pull.head_sha)}
    if data.get("subject_type") != "file" or data.get("path") not in paths:
        raise PlainError("pull_request_review_thread.path is invalid")
    now, made = call.state.now(), call.state.new_id()
    comment = Comment(
        id=made, author=call.viewer.login, body=data["body"], created_at=now, updated_at=now
    )
    thread = ReviewThread(id=made, comment=comment, path=data["path"])
    review_actions.begin(call.state, repo, issue, thread)
    return Reply(status=201, body=_comment(call, comment, data))


def _comment(call: Call, comment: Comment, data: dict[str, Any]) -> Json:
    return {
        "id": comment.id,
        "path": data["path"],
        "subject_type": "file",
        "commit_id": data.get("commit_id"),
        "body": comment.body,
        "user": call.render.user(comment.author),
    }


def _writable(call: Call) -> tuple[Repo, Issue, Pull, dict[str, Any]]:
    """Whoever may read may review, unless the token was narrowed."""
    call.viewer.require_login()
    repo = call.repo()
    issue = call.issue(repo)
    require_grant(call.viewer, repo, "pull_requests")
    require_open_repo(repo)
    return repo, issue, pull_of(issue), call.request.json()


class PlainError(ApiError):
    """A 422 whose errors are plain words."""

    def __init__(self, text: str) -> None:
        super().__init__(422, "Unprocessable Entity")
        self.text = text

    def reply(self) -> Reply:
        told = super().reply()
        return Reply(status=told.status, body=told.body | {"errors": [self.text]})
