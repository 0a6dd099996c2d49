"""What the checks of a commit say, as GraphQL's objects StatusCheckRollup, CheckRun and
StatusContext have it.
"""

from collections.abc import Callable
from typing import Any

from .access import Viewer
from .graphql_run import Object, connection
from .model import Annotation, CheckRun, Repo, Status
from .render import maybe_iso

_FAILED = {"FAILURE", "ERROR", "TIMED_OUT", "STARTUP_FAILURE", "ACTION_REQUIRED", "CANCELLED"}


def rollup(viewer: Viewer, repo: Repo, sha: str) -> Object | None:
    """GraphQL's reference: "Check and Status rollup information for this commit"; null without.

    Its state is told to tokens that may read any of what it consists of, and each of that to those
    who may read its kind (as cli/cli#12597 and others saw it): "Permissions required for GitHub
    Apps" calls them checks, statuses, and for the workflow of a check run actions. "Permissions
    required for fine-grained personal access tokens" has no checks.
    """
    found = repo.checks.get(sha)
    if not found:
        return None
    if not viewer.may(repo, "read", "checks"):
        viewer.require(repo, "read", "statuses")
    return {
        "__typename": "StatusCheckRollup",
        "id": f"SCR_{sha}",
        "state": _state([_word(one) for one in found]),
        "contexts": lambda args: connection([_context(viewer, repo, one) for one in found], args),
    }


def _context(viewer: Viewer, repo: Repo, one: CheckRun | Status) -> Callable[[Object], Object]:
    def shown(_args: Object) -> Object:
        if isinstance(one, Status):
            viewer.require(repo, "read", "statuses")
            return _status(repo, one)
        viewer.require(repo, "read", "checks")
        return _run(viewer, repo, one)

    return shown


def _word(one: CheckRun | Status) -> str:
    if isinstance(one, Status):
        return one.state.upper()
    return (one.conclusion or "").upper() if one.status == "completed" else "PENDING"


def _state(words: list[str]) -> str:
    """Its enum StatusState."""
    if _FAILED & set(words):
        return "FAILURE"
    return "PENDING" if {"PENDING", "EXPECTED"} & set(words) else "SUCCESS"


def _run(viewer: Viewer, repo: Repo, run: CheckRun) -> Object:
    notes = [_note(note) for note in run.annotations]
    flow = {"__typename": "Workflow", "name": run.workflow}
    flow_run = {"__typename": "WorkflowRun", "event": "push", "workflow": flow}

    def workflow_run(_args: Object) -> Object | None:
        viewer.require(repo, "read", "actions")
        return flow_run if run.workflow else None

    return {
        "__typename": "CheckRun",
        "databaseId": run.id,
        "name": run.name,
        "status": run.status.upper(),
        "conclusion": run.conclusion.upper() if run.conclusion else None,
        "startedAt": maybe_iso(run.started_at),
        "completedAt": maybe_iso(run.completed_at),
        "detailsUrl": run.url,
        "title": run.title or None,
        "summary": run.summary or None,
        "annotations": lambda args: connection(notes, args),
        "isRequired": lambda _args: run.full_name in repo.required,
        "checkSuite": {"__typename": "CheckSuite", "workflowRun": workflow_run},
    }


def _note(note: Annotation) -> Object:
    line = {"__typename": "CheckAnnotationPosition", "line": note.line}
    return {
        "__typename": "CheckAnnotation",
        "path": note.path,
        "message": note.message,
        "annotationLevel": note.level.upper(),
        "location": {"__typename": "CheckAnnotationSpan", "start": line, "end": line},
    }


def _status(repo: Repo, status: Status) -> dict[str, Any]:
    return {
        "__typename": "StatusContext",
        "context": status.context,
        "state": status.state.upper(),
        "createdAt": maybe_iso(status.created_at),
        "description": "",
        "targetUrl": "",
        "isRequired": lambda _args: status.context in repo.required,
    }
