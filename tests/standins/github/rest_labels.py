"""Labels of a repository and of an issue."""

from typing import Any

from . import checks, label_actions
from .model import NEW_LABEL_COLOR, Issue, Label, Repo
from .routing import Call, route
from .wire import Reply, invalid, not_found

LABELS = "/repos/{owner}/{repo}/labels"
LABEL = LABELS + "/{name}"
ON_ISSUE = "/repos/{owner}/{repo}/issues/{number}/labels"


@route("GET", LABELS)
def list_labels(call: Call) -> Reply:
    repo = call.repo()
    return call.page([call.render.label(repo, label) for label in repo.labels.values()])


@route("POST", LABELS)
def create_label(call: Call) -> Reply:
    repo = call.repo("write", "issues")
    checks.require_open_repo(repo)
    data = call.request.json()
    name = data.get("name") or ""
    if not name:
        raise invalid("Label", "name", "missing_field")
    if name.lower() in repo.labels:
        raise invalid("Label", "name", "already_exists")
    label = Label(
        id=call.state.new_id(),
        name=name,
        color=data.get("color") or NEW_LABEL_COLOR,
        description=data.get("description"),
    )
    call.state.add_label(repo, label)
    return Reply(status=201, body=call.render.label(repo, label))


def _label(call: Call, repo: Repo) -> Label:
    found = repo.labels.get(call.params["name"].lower())
    if found is None:
        raise not_found()
    return found


@route("GET", LABEL)
def get_label(call: Call) -> Reply:
    repo = call.repo()
    return Reply(body=call.render.label(repo, _label(call, repo)))


@route("PATCH", LABEL)
def edit_label(call: Call) -> Reply:
    repo = call.repo("write", "issues")
    label, data = _label(call, repo), call.request.json()
    name = data.get("new_name") or label.name
    if name.lower() != label.name.lower() and name.lower() in repo.labels:
        raise invalid("Label", "name", "already_exists")
    del repo.labels[label.name.lower()]
    label.name = name
    label.color = data.get("color") or label.color
    label.description = data.get("description", label.description)
    repo.labels[name.lower()] = label
    return Reply(body=call.render.label(repo, label))


@route("DELETE", LABEL)
def delete_label(call: Call) -> Reply:
    repo = call.repo("write", "issues")
    label = _label(call, repo)
    del repo.labels[label.name.lower()]
    for issue in repo.issues.values():
        if label in issue.labels:
            label_actions.take_label(call.state, call.viewer.login, issue, label)
    return Reply(status=204)


def _labels_of(call: Call, repo: Repo, issue: Issue) -> list[dict[str, Any]]:
    return [call.render.label(repo, label) for label in issue.labels]


def _names(call: Call) -> list[str]:
    """The docs say {"labels": [...]}; PyGithub sends the bare list."""
    data = call.request.any_json()
    entries = data.get("labels", []) if isinstance(data, dict) else data
    return [entry["name"] if isinstance(entry, dict) else str(entry) for entry in entries]


@route("GET", ON_ISSUE)
def labels_of_issue(call: Call) -> Reply:
    repo = call.repo()
    return call.page(_labels_of(call, repo, call.issue(repo)))


@route("POST", ON_ISSUE)
def add_to_issue(call: Call) -> Reply:
    repo = call.repo()
    issue = call.issue(repo)
    call.viewer.require(repo, "triage", checks.area_of(issue))
    label_actions.add_labels(call.state, call.viewer, repo, issue, _names(call))
    return Reply(body=_labels_of(call, repo, issue))


@route("PUT", ON_ISSUE)
def replace_on_issue(call: Call) -> Reply:
    repo = call.repo()
    issue = call.issue(repo)
    label_actions.replace_labels(call.state, call.viewer, repo, issue, _names(call))
    return Reply(body=_labels_of(call, repo, issue))


@route("DELETE", ON_ISSUE)
def clear_issue(call: Call) -> Reply:
    repo = call.repo()
    label_actions.replace_labels(call.state, call.viewer, repo, call.issue(repo), [])
    return Reply(status=204)


@route("DELETE", ON_ISSUE + "/{name}")
def remove_from_issue(call: Call) -> Reply:
    repo = call.repo()
    issue = call.issue(repo)
    label_actions.remove_label(call.state, call.viewer, repo, issue, call.params["name"])
    return Reply(body=_labels_of(call, repo, issue))
