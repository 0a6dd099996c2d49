"""Issues, their comments and their events."""

from datetime import datetime
from typing import Any

from . import checks, label_actions
from . import issue_actions as actions
from .model import Comment, Issue, Repo
from .routing import Call, route
from .wire import Reply, invalid

ISSUE = "/repos/{owner}/{repo}/issues/{number}"
SORTS = {
    "created": lambda issue: (issue.created_at, issue.number),
    "updated": lambda issue: (issue.updated_at, issue.number),
    "comments": lambda issue: (len(issue.comments), issue.number),
}


@route("GET", "/repos/{owner}/{repo}/issues")
def list_issues(call: Call) -> Reply:
    repo = call.repo(area="issues")
    query = call.request.query
    chosen = [issue for issue in repo.issues.values() if _wanted(issue, query)]
    order = SORTS.get(query.get("sort", "created"), SORTS["created"])
    chosen.sort(key=order, reverse=query.get("direction", "desc") == "desc")
    rendered = [call.render.issue(repo, issue) for issue in call.slice(chosen)]
    return Reply(body=rendered, headers=call.links(len(chosen)))


def _wanted(issue: Issue, query: dict[str, str]) -> bool:
    state = query.get("state", "open")
    labels = {label.name.lower() for label in issue.labels}
    named = [name.strip().lower() for name in query.get("labels", "").split(",") if name.strip()]
    return (
        state in {"all", issue.state}
        and labels.issuperset(named)
        and _assigned(issue, query.get("assignee", ""))
        and query.get("creator", issue.author).lower() == issue.author.lower()
        and _since(issue.updated_at, query)
    )


def _assigned(issue: Issue, wanted: str) -> bool:
    if wanted == "none":
        return not issue.assignees
    if wanted == "*":
        return bool(issue.assignees)
    return not wanted or wanted.lower() in {login.lower() for login in issue.assignees}


def _since(at: datetime, query: dict[str, str]) -> bool:
    """Times on the wire have whole seconds."""
    since = query.get("since")
    return since is None or at.replace(microsecond=0) >= datetime.fromisoformat(since)


@route("POST", "/repos/{owner}/{repo}/issues")
def create_issue(call: Call) -> Reply:
    repo, data = call.repo(), call.request.json()
    issue = actions.open_issue(
        call.state,
        call.viewer,
        repo,
        data.get("title", ""),
        data.get("body"),
        _names(data.get("labels")),
        data.get("assignees") or [],
    )
    return Reply(status=201, body=call.render.issue(repo, issue))


def _names(labels: Any) -> list[str]:
    return [entry["name"] if isinstance(entry, dict) else str(entry) for entry in labels or []]


@route("GET", ISSUE)
def get_issue(call: Call) -> Reply:
    repo = call.repo()
    return Reply(body=call.render.issue(repo, call.issue(repo)))


@route("PATCH", ISSUE)
def edit_issue(call: Call) -> Reply:
    repo = call.repo()
    issue, data = call.issue(repo), call.request.json()
    edit(call, repo, issue, data)
    if data.get("labels") is not None:
        names = _names(data["labels"])
        label_actions.replace_labels(call.state, call.viewer, repo, issue, names)
    if data.get("assignees") is not None:
        gone = [login for login in issue.assignees if login not in data["assignees"]]
        actions.unassign(call.state, call.viewer, repo, issue, gone)
        actions.assign(call.state, call.viewer, repo, issue, data["assignees"])
    return Reply(body=call.render.issue(repo, issue))


def edit(call: Call, repo: Repo, issue: Issue, data: dict[str, Any]) -> None:
    """Title, body and state; the same for issues and pull requests."""
    title, body, state = data.get("title"), data.get("body"), data.get("state")
    if title is not None or body is not None:
        actions.rewrite(call.state, call.viewer, repo, issue, title=title, body=body)
    if state not in {None, "open", "closed"}:
        raise invalid("Issue", "state", "invalid")
    if state is not None:
        is_open, reason = state == "open", data.get("state_reason")
        actions.set_open(call.state, call.viewer, repo, issue, is_open=is_open, reason=reason)


@route("POST", ISSUE + "/assignees")
def add_assignees(call: Call) -> Reply:
    repo = call.repo()
    issue = call.issue(repo)
    actions.assign(call.state, call.viewer, repo, issue, call.request.json()["assignees"])
    return Reply(status=201, body=call.render.issue(repo, issue))


@route("DELETE", ISSUE + "/assignees")
def remove_assignees(call: Call) -> Reply:
    repo = call.repo()
    issue = call.issue(repo)
    actions.unassign(call.state, call.viewer, repo, issue, call.request.json()["assignees"])
    return Reply(body=call.render.issue(repo, issue))


@route("GET", ISSUE + "/comments")
def list_comments(call: Call) -> Reply:
    repo = call.repo()
    issue = call.issue(repo)
    fresh = [c for c in issue.comments if _since(c.updated_at, call.request.query)]
    return call.page([call.render.comment(repo, issue, comment) for comment in fresh])


@route("POST", ISSUE + "/comments")
def create_comment(call: Call) -> Reply:
    repo = call.repo()
    issue = call.issue(repo)
    text = call.request.json().get("body", "")
    comment = actions.comment_on(call.state, call.viewer, repo, issue, text)
    return Reply(status=201, body=call.render.comment(repo, issue, comment))


def _comment(call: Call, repo: Repo) -> tuple[Issue, Comment]:
    return actions.find_comment(repo, int(call.params["id"]))


@route("GET", "/repos/{owner}/{repo}/issues/comments/{id}")
def get_comment(call: Call) -> Reply:
    repo = call.repo(area="issues")
    issue, comment = _comment(call, repo)
    return Reply(body=call.render.comment(repo, issue, comment))


@route("PATCH", "/repos/{owner}/{repo}/issues/comments/{id}")
def edit_comment(call: Call) -> Reply:
    repo = call.repo()
    issue, comment = _comment(call, repo)
    if comment.author != call.viewer.login:
        call.viewer.require(repo, "write", checks.area_of(issue))
    text = str(call.request.json()["body"])
    actions.rewrite_comment(call.state, issue, comment, text, call.viewer.login)
    return Reply(body=call.render.comment(repo, issue, comment))


@route("DELETE", "/repos/{owner}/{repo}/issues/comments/{id}")
def delete_comment(call: Call) -> Reply:
    repo = call.repo()
    issue, comment = _comment(call, repo)
    if comment.author != call.viewer.login:
        call.viewer.require(repo, "write", checks.area_of(issue))
    issue.comments.remove(comment)
    call.state.touch(issue)
    return Reply(status=204)


@route("GET", ISSUE + "/events")
def list_events(call: Call) -> Reply:
    repo = call.repo()
    return call.page([call.render.event(repo, event) for event in call.issue(repo).events])


@route("GET", ISSUE + "/timeline")
def list_timeline(call: Call) -> Reply:
    """Events and comments in one row, by time."""
    repo = call.repo()
    issue = call.issue(repo)
    entries = [call.render.event(repo, event) for event in issue.events]
    for comment in issue.comments:
        body = call.render.comment(repo, issue, comment)
        entries.append(body | {"event": "commented", "actor": body["user"]})
    return call.page(sorted(entries, key=lambda entry: (entry["created_at"], entry["id"])))
