"""Pull requests."""

from . import gitrepo, pull_actions
from .model import Issue, Pull, Repo
from .render_pulls import commit_json, full_pull_json, pull_json
from .rest_issues import SORTS, edit
from .routing import Call, route
from .wire import ApiError, Reply

PULLS = "/repos/{owner}/{repo}/pulls"
PULL = PULLS + "/{number}"
_DIFF_LINES = 20_000


def _pull(call: Call, repo: Repo) -> tuple[Issue, Pull]:
    issue = call.issue(repo)
    return issue, pull_actions.pull_of(issue)


@route("GET", PULLS)
def list_pulls(call: Call) -> Reply:
    repo = call.repo(area="pull_requests")
    query = call.request.query
    chosen = [i for i in repo.issues.values() if i.pull and _wanted(i, i.pull, query)]
    order = SORTS.get(query.get("sort", "created"), SORTS["created"])
    chosen.sort(key=order, reverse=query.get("direction", "desc") == "desc")
    rendered = [pull_json(call.render, repo, issue) for issue in call.slice(chosen)]
    return Reply(body=rendered, headers=call.links(len(chosen)))


def _wanted(issue: Issue, pull: Pull, query: dict[str, str]) -> bool:
    owner, colon, branch = query.get("head", "").partition(":")
    if colon:  # without an owner GitHub ignores the filter
        mine = pull.head_repo.partition("/")[0].lower() == owner.lower()
        if not (mine and pull.head_ref == branch):
            return False
    return (
        query.get("state", "open") in {"all", issue.state}
        and query.get("base", pull.base_ref) == pull.base_ref
    )


@route("POST", PULLS)
def create_pull(call: Call) -> Reply:
    repo, data = call.repo(), call.request.json()
    issue = pull_actions.open_pull(
        call.state,
        call.viewer,
        repo,
        title=data.get("title", ""),
        body=data.get("body"),
        head=data.get("head", ""),
        base=data.get("base", ""),
        draft=bool(data.get("draft")),
    )
    return Reply(status=201, body=full_pull_json(call.render, repo, issue))


@route("GET", PULL)
def get_pull(call: Call) -> Reply:
    """As JSON, or as the diff itself for those who ask by Accept."""
    repo = call.repo()
    issue, pull = _pull(call, repo)
    if ".diff" in call.request.headers.get("accept", ""):
        text = gitrepo.diff(repo.path, pull.base_sha, pull.head_sha)
        if text.count("\n") > _DIFF_LINES:
            said = f"Sorry, the diff exceeded the maximum number of lines ({_DIFF_LINES})"
            error = {"resource": "PullRequest", "field": "diff", "code": "too_large"}
            raise ApiError(406, said, [error])
        return Reply(body=text.encode(), headers={"Content-Type": "text/plain; charset=utf-8"})
    return Reply(body=full_pull_json(call.render, repo, issue))


@route("PATCH", PULL)
def edit_pull(call: Call) -> Reply:
    repo = call.repo()
    issue, pull = _pull(call, repo)
    data = call.request.json()
    edit(call, repo, issue, data)
    pull.base_ref = data.get("base", pull.base_ref)
    return Reply(body=full_pull_json(call.render, repo, issue))


@route("GET", PULL + "/commits")
def list_commits(call: Call) -> Reply:
    repo = call.repo()
    _, pull = _pull(call, repo)
    commits = gitrepo.commits_between(repo.path, pull.base_sha, pull.head_sha)
    return call.page([commit_json(call.render, repo, commit) for commit in commits])


@route("GET", PULL + "/files")
def list_files(call: Call) -> Reply:
    repo = call.repo()
    _, pull = _pull(call, repo)
    return call.page(
        [
            {
                "filename": file.path,
                "status": "modified",
                "additions": file.additions,
                "deletions": file.deletions,
                "changes": file.additions + file.deletions,
            }
            for file in gitrepo.changed_files(repo.path, pull.base_sha, pull.head_sha)
        ]
    )


@route("GET", PULL + "/comments")
def nothing_said(call: Call) -> Reply:
    _pull(call, call.repo())
    return Reply(body=[])


@route("GET", PULL + "/merge")
def is_merged(call: Call) -> Reply:
    _, pull = _pull(call, call.repo())
    return Reply(status=204 if pull.merged_at else 404)


@route("PUT", PULL + "/merge")
def merge(call: Call) -> Reply:
    repo = call.repo()
    issue, _ = _pull(call, repo)
    data = call.request.json()
    sha = pull_actions.merge_pull(
        call.state,
        call.viewer,
        repo,
        issue,
        method=data.get("merge_method", "merge"),
        expected_head=data.get("sha"),
        message=data.get("commit_message"),
    )
    body = {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}
    return Reply(body=body)
