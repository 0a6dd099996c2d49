"""Labels on issues, with GitHub's checks; shared by REST and GraphQL."""

from collections.abc import Sequence

from .access import Viewer
from .checks import area_of, require_open_repo
from .model import NEW_LABEL_COLOR, Issue, Label, Repo
from .state import State
from .wire import ApiError


def add_labels(
    state: State, viewer: Viewer, repo: Repo, issue: Issue, names: Sequence[str]
) -> None:
    """Labels the repository lacks are made, as REST does."""
    if not names:
        return
    viewer.require(repo, "triage", area_of(issue))
    require_open_repo(repo)
    for name in names:
        put_label(state, viewer.login, issue, _known_label(state, viewer, repo, name))


def _known_label(state: State, viewer: Viewer, repo: Repo, name: str) -> Label:
    found = repo.labels.get(name.lower())
    if found:
        return found
    if not viewer.may(repo, "write", "issues"):
        error = {"resource": "Repository", "field": "label", "code": "unauthorized"}
        message = "You do not have permission to create labels on this repository."
        raise ApiError(403, message, [error])
    return state.add_label(repo, Label(id=state.new_id(), name=name, color=NEW_LABEL_COLOR))


def put_label(state: State, actor: str, issue: Issue, label: Label) -> None:
    if label not in issue.labels:
        issue.labels.append(label)
        state.add_event(issue, "labeled", actor, label=label)


def take_label(state: State, actor: str, issue: Issue, label: Label) -> None:
    issue.labels.remove(label)
    state.add_event(issue, "unlabeled", actor, label=label)


def remove_label(state: State, viewer: Viewer, repo: Repo, issue: Issue, name: str) -> None:
    viewer.require(repo, "triage", area_of(issue))
    require_open_repo(repo)
    for label in issue.labels:
        if label.name.lower() == name.lower():
            take_label(state, viewer.login, issue, label)
            return
    raise ApiError(404, "Label does not exist")


def replace_labels(
    state: State, viewer: Viewer, repo: Repo, issue: Issue, names: Sequence[str]
) -> None:
    wanted = {name.lower() for name in names}
    viewer.require(repo, "triage", area_of(issue))
    for label in [label for label in issue.labels if label.name.lower() not in wanted]:
        take_label(state, viewer.login, issue, label)
    add_labels(state, viewer, repo, issue, names)
