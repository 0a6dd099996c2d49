"""What reviewers say of a pull request, as GraphQL's objects PullRequestReview and
PullRequestReviewThread have it.
"""

from typing import TYPE_CHECKING

from . import gitrepo
from .graphql_run import Object, connection, empty
from .model import Comment, Issue, Repo, ReviewThread
from .protection import decision, writes
from .pull_actions import pull_of

if TYPE_CHECKING:
    from .graphql_types import Args, Types


def reviews(types: "Types", repo: Repo, issue: Issue) -> Object:
    pull = pull_of(issue)

    def latest(args: "Args") -> Object:
        """Its argument writersOnly: "Only return reviews from user who have write access"."""
        shown = [
            _review(types, repo, issue, login, state)
            for login, state in pull.reviews.items()
            if not args.get("writersOnly") or writes(repo, login)
        ]
        return connection(shown, args)

    return {
        "reviewDecision": decision(repo, pull.reviews),
        "reviews": empty,
        "latestReviews": latest,
        "latestOpinionatedReviews": latest,
        "reviewThreads": lambda args: connection(
            [thread_json(types, repo, issue, thread) for thread in pull.threads], args
        ),
    }


def _review(types: "Types", repo: Repo, issue: Issue, login: str, state: str) -> Object:
    """With the text of the last one that this account submitted in this state."""
    said = [one for one in enumerate(pull_of(issue).said, 1) if one[1][:2] == (login, state)]
    at, text = (said[-1][0], said[-1][1][3]) if said else (0, "")
    now = types.state.now()
    words = Comment(id=at, author=login, body=text, created_at=now, updated_at=now)
    named = {"id": f"PRR_{issue.id}_{login}_{at}", "state": state}
    return types.comment(repo, issue, words) | {"__typename": "PullRequestReview"} | named


def thread_json(types: "Types", repo: Repo, issue: Issue, thread: ReviewThread) -> Object:
    """`line` is null of what is outdated, and of remarks on a whole file."""
    path = thread.path or _first_file(repo, issue)
    of_thread = {"__typename": "PullRequestReviewComment", "diffHunk": thread.hunk, "path": path}
    shown = [
        types.comment(repo, issue, comment) | of_thread | {"id": f"PRRC_{comment.id}"}
        for comment in thread.comments
    ]
    return {
        "__typename": "PullRequestReviewThread",
        "__interfaces": ("Node",),
        "id": f"PRRT_{thread.id}",
        "isResolved": thread.resolved,
        "isOutdated": thread.outdated,
        "path": path,
        "line": None if thread.outdated else thread.line,
        "comments": lambda args: connection(shown, args),
    }


def _first_file(repo: Repo, issue: Issue) -> str:
    pull = pull_of(issue)
    files = gitrepo.changed_files(repo.path, pull.base_sha, pull.head_sha)
    return files[0].path if files else ""
