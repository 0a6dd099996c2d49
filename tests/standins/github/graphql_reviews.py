"""What reviewers say of a pull request, as GraphQL's objects PullRequestReview and
PullRequestReviewThread have it.
"""

from typing import TYPE_CHECKING

from .access import at_least
from .graphql_run import Object, connection, empty
from .model import Issue, Repo, ReviewThread
from .pull_actions import pull_of

if TYPE_CHECKING:
    from .graphql_types import Args, Types


def reviews(types: "Types", repo: Repo, issue: Issue) -> Object:
    pull = pull_of(issue)

    def latest(args: "Args") -> Object:
        """Its argument writersOnly: "Only return reviews from user who have write access"."""
        shown = [
            {
                "__typename": "PullRequestReview",
                "state": state,
                "author": types.user(login),
            }
            for login, state in pull.reviews.items()
            if not args.get("writersOnly") or _writes(repo, login)
        ]
        return connection(shown, args)

    return {
        "reviewDecision": _decision(repo, pull.reviews),
        "reviews": empty,
        "latestReviews": latest,
        "latestOpinionatedReviews": latest,
        "reviewThreads": lambda args: connection(
            [_thread(types, repo, issue, thread) for thread in pull.threads], args
        ),
    }


def _writes(repo: Repo, login: str) -> bool:
    held = "admin" if login == repo.owner else repo.permissions.get(login, "none")
    return at_least(held, "write")


def _decision(repo: Repo, opinions: dict[str, str]) -> str | None:
    """Where the branch requires no review it is null, whatever was said."""
    if not repo.review_required:
        return None
    said = {state for login, state in opinions.items() if _writes(repo, login)}
    if "CHANGES_REQUESTED" in said:
        return "CHANGES_REQUESTED"
    return "APPROVED" if "APPROVED" in said else "REVIEW_REQUIRED"


def _thread(types: "Types", repo: Repo, issue: Issue, thread: ReviewThread) -> Object:
    first = types.comment(repo, issue, thread.comment)
    return {
        "__typename": "PullRequestReviewThread",
        "id": f"PRRT_{thread.id}",
        "isResolved": thread.resolved,
        "isOutdated": thread.outdated,
        "comments": lambda args: connection([first], args),
    }
