"""What may be done to pull requests; shared by REST and GraphQL."""

import re

from . import gitrebase, gitrepo, pushes
from .access import Viewer, association
from .checks import require_open_repo
from .issue_actions import next_number
from .model import Issue, Pull, Repo
from .protection import require_mergeable
from .state import State
from .wire import ApiError, invalid

CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+"
    r"(?:(?P<repo>[\w.-]+/[\w.-]+)?\#|\S+?/(?P<url_repo>[\w.-]+/[\w.-]+)/issues/)(?P<number>\d+)",
    re.IGNORECASE,
)

_METHODS = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}


def split_head(state: State, repo: Repo, head: str) -> tuple[Repo, str]:
    """The head is "branch" or "owner:branch", owner being the repository's or a fork's."""
    owner, colon, branch = head.rpartition(":")
    if not colon or owner.lower() == repo.owner.lower():
        return repo, branch
    for other in state.repos.values():
        if other.owner.lower() == owner.lower() and other.parent == repo.full_name:
            return other, branch
    raise invalid("PullRequest", "head", "invalid")


def open_pull(
    state: State,
    viewer: Viewer,
    repo: Repo,
    *,
    title: str,
    body: str | None,
    head: str,
    base: str,
    draft: bool = False,
) -> Issue:
    source, branch = split_head(state, repo, head)
    viewer.require_login()
    viewer.require(repo, "read", "pull_requests")
    viewer.require(source, "write", "pull_requests")
    require_open_repo(repo)
    pull = _checked_pull(repo, source, branch, base, draft=draft)
    if not title:
        raise invalid("PullRequest", "title", "missing_field")
    now = state.now()
    issue = Issue(
        id=state.new_id(),
        number=next_number(repo),
        title=title,
        body=body,
        author=viewer.login,
        created_at=now,
        updated_at=now,
        association=association(repo, viewer.login),
        pull=pull,
    )
    pushes.keep_head(source, repo, issue.number, pull)
    if not gitrepo.commits_between(repo.path, pull.base_sha, pull.head_sha):
        text = f"No commits between {base} and {branch}"
        raise invalid("PullRequest", "", "custom", text)
    state.add_issue(repo, issue)
    return issue


def _checked_pull(repo: Repo, source: Repo, branch: str, base: str, *, draft: bool) -> Pull:
    head_sha = gitrepo.head(source.path, branch)
    base_sha = gitrepo.head(repo.path, base)
    if head_sha is None:
        raise invalid("PullRequest", "head", "invalid")
    if base_sha is None:
        raise invalid("PullRequest", "base", "invalid")
    for issue in repo.issues.values():
        same = issue.pull and (issue.pull.head_repo, issue.pull.head_ref, issue.pull.base_ref) == (
            source.full_name,
            branch,
            base,
        )
        if same and issue.state == "open":
            text = f"A pull request already exists for {source.owner}:{branch}."
            raise invalid("PullRequest", "", "custom", text)
    return Pull(
        head_repo=source.full_name,
        head_ref=branch,
        head_sha=head_sha,
        base_ref=base,
        base_sha=base_sha,
        draft=draft,
    )


def pull_of(issue: Issue) -> Pull:
    if issue.pull is None:
        raise ApiError(404, "Not Found")
    return issue.pull


def closing_numbers(repo: Repo, issue: Issue) -> list[int]:
    """Issues the pull request closes when merged: only into the default branch."""
    if pull_of(issue).base_ref != repo.default_branch:
        return []
    numbers = []
    for found in CLOSING.finditer(f"{issue.title}\n{issue.body or ''}"):
        named = found["repo"] or found["url_repo"] or repo.full_name
        target = repo.issues.get(int(found["number"]))
        if named.lower() == repo.full_name.lower() and target and not target.pull:
            numbers.append(target.number)
    return list(dict.fromkeys(numbers))


def mergeable(repo: Repo, issue: Issue) -> bool:
    pull = pull_of(issue)
    base = gitrepo.head(repo.path, pull.base_ref)
    return base is not None and gitrepo.merged_tree(repo.path, base, pull.head_sha) is not None


def merge_pull(
    state: State,
    viewer: Viewer,
    repo: Repo,
    issue: Issue,
    *,
    method: str = "merge",
    expected_head: str | None = None,
    message: str | None = None,
) -> str:
    """REST's "Merge a pull request": 405 if it cannot be done, 409 if `sha` is not the head."""
    pull = pull_of(issue)
    viewer.require(repo, "write", "contents")
    require_open_repo(repo)
    if issue.state != "open" or pull.draft:
        raise ApiError(405, "Pull Request is not mergeable")
    if method not in repo.merges:
        raise ApiError(405, f"{_METHODS[method]} are not allowed on this repository.")
    if expected_head and expected_head != pull.head_sha:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    require_mergeable(viewer, repo, issue, pull)
    sha = _merged(repo, issue, pull, method, message)
    if sha is None:
        raise ApiError(405, "Pull Request is not mergeable")
    pushes.mark_merged(state, issue, viewer.login, sha)
    for number in closing_numbers(repo, issue):
        target = repo.issues[number]
        if target.state == "open":
            pushes.close(state, target, viewer.login)
    if repo.delete_merged and pull.head_repo == repo.full_name:
        _delete_head(state, repo, pull)
    pushes.after_push(state, repo, viewer.login)
    return sha


def _merged(repo: Repo, issue: Issue, pull: Pull, method: str, message: str | None) -> str | None:
    """As in "About merge methods on GitHub": rebasing "always updates the committer information and
    creates new commit SHAs".
    """
    if method == "rebase":
        return gitrebase.rebase(repo.path, pull.base_ref, pull.head_sha)
    head_owner = pull.head_repo.partition("/")[0]
    title = f"Merge pull request #{issue.number} from {head_owner}/{pull.head_ref}"
    squash = method == "squash"
    if squash:
        title = f"{issue.title} (#{issue.number})"
    text = message or f"{title}\n\n{issue.title}\n"
    return gitrepo.merge(repo.path, pull.base_ref, pull.head_sha, text, squash=squash)


def _delete_head(state: State, repo: Repo, pull: Pull) -> None:
    """As in "Managing the automatic deletion of branches": open pull requests into it go into where
    it went, as they do when a person deletes it after a merge.
    """
    if pull.head_ref == repo.default_branch:
        return
    gitrepo.delete_branch(repo.path, pull.head_ref)
    for issue in repo.issues.values():
        if issue.pull and issue.state == "open" and issue.pull.base_ref == pull.head_ref:
            issue.pull.base_ref = pull.base_ref
            state.touch(issue)
