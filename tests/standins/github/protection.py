"""What a protected branch wants before a merge.

GitHub's documentation, "About protected branches": required status checks "must have a successful,
skipped, or neutral status"; an approval of somebody with write access, and no request for changes
of one; and "by default, the restrictions … do not apply to people with admin permissions". REST's
"Merge a pull request" answers 405 then.
"""

from .access import Viewer, at_least, permission_of
from .model import CheckRun, Issue, Pull, Repo, Status
from .wire import ApiError

_FINE = frozenset({"success", "skipped", "neutral"})


def decision(repo: Repo, opinions: dict[str, str]) -> str | None:
    """GraphQL's reviewDecision. Where the branch requires no review it is null, whatever was
    said.
    """
    if not repo.review_required:
        return None
    said = {state for login, state in opinions.items() if writes(repo, login)}
    if "CHANGES_REQUESTED" in said:
        return "CHANGES_REQUESTED"
    return "APPROVED" if "APPROVED" in said else "REVIEW_REQUIRED"


def writes(repo: Repo, login: str) -> bool:
    held = "admin" if login == repo.owner else permission_of(repo, login)
    return at_least(held, "write")


def require_mergeable(viewer: Viewer, repo: Repo, issue: Issue, pull: Pull) -> None:
    if viewer.may(repo, "admin"):
        return
    missing = _missing(repo, pull.head_sha)
    if len(missing) == 1:
        (name, word) = missing[0]
        raise ApiError(405, f'Required status check "{name}" is {word}.')
    if missing:
        words = {word for _, word in missing}
        word = words.pop() if len(words) == 1 else "expected"
        count = f"{len(missing)} of {len(repo.required)}"
        raise ApiError(405, f"{count} required status checks are {word}.")
    if decision(repo, pull.reviews) in {"REVIEW_REQUIRED", "CHANGES_REQUESTED"}:
        text = "At least 1 approving review is required by reviewers with write access."
        raise ApiError(405, text)


def _missing(repo: Repo, sha: str) -> list[tuple[str, str]]:
    """Names of required checks that are not there, run, or failed, and which of these."""
    words = {_name(one): _word(one) for one in repo.checks.get(sha, [])}
    found = [(name, words.get(name, "expected")) for name in sorted(repo.required)]
    return [(name, word) for name, word in found if word]


def _name(one: CheckRun | Status) -> str:
    return one.context if isinstance(one, Status) else one.full_name


def _word(one: CheckRun | Status) -> str:
    said = one.state if isinstance(one, Status) else one.conclusion
    if said in _FINE:
        return ""
    return "in progress" if said in {None, "pending"} else "failing"
