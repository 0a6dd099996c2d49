"""What the checks of a commit say, as GraphQL's objects StatusCheckRollup, CheckRun and
StatusContext have it.
"""

from typing import Any

from .access import Viewer
from .graphql_run import Object, connection
from .model import Annotation, CheckRun, Repo, Status
from .render import maybe_iso

_FAILED = {"FAILURE", "ERROR", "TIMED_OUT", "STARTUP_FAILURE", "ACTION_REQUIRED", "CANCELLED"}


def rollup(viewer: Viewer, repo: Repo, sha: str) -> Object | None:
    """GraphQL's reference: "Check and Status rollup information for this commit"; null without.

    "Permissions required for GitHub Apps": what it consists of wants checks: read, and the runs of
    workflows in it actions: read. There is no such permission for fine-grained tokens.
    """
    found = repo.checks.get(sha)
    if not found:
        return None
    nodes = [_run(repo, one) if isinstance(one, CheckRun) else _status(repo, one) for one in found]
    return {
        "__typename": "StatusCheckRollup",
        "id": f"SCR_{sha}",
        "state": _state([_word(one) for one in found]),
        "contexts": lambda args: connection(_shown(viewer, repo, nodes), args),
    }


def _shown(viewer: Viewer, repo: Repo, nodes: list[Object]) -> list[Object]:
    """What may be seen of any public repository."""
    for area in ("checks", "actions"):
        if any(node["__typename"] == "CheckRun" for node in nodes):
            viewer.require(repo, "read", area)
    return nodes


def _word(one: CheckRun | Status) -> str:
    if isinstance(one, Status):
        return one.state.upper()
    return (one.conclusion or "").upper() if one.status == "completed" else "PENDING"


def _state(words: list[str]) -> str:
    """Its enum StatusState."""
    if _FAILED & set(words):
        return "FAILURE"
    return "PENDING" if {"PENDING", "EXPECTED"} & set(words) else "SUCCESS"


def _run(repo: Repo, run: CheckRun) -> Object:
    notes = [_note(note) for note in run.annotations]
    flow = {"__typename": "Workflow", "name": run.workflow}
    suite = {
        "__typename": "CheckSuite",
        "workflowRun": {"__typename": "WorkflowRun", "event": "push", "workflow": flow},
    }
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
        "checkSuite": suite if run.workflow else suite | {"workflowRun": None},
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
