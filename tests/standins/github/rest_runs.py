"""GitHub Actions over REST: runs of workflows, with all their jobs. gh asks for these."""

from datetime import datetime

from . import ci
from .job_logs import place_of
from .model import ActionsRun, CheckRun, Repo
from .render import Json
from .rest_actions import job_json
from .routing import Call, route
from .state import iso
from .wire import Reply, not_found

_ACTIONS = "/repos/{owner}/{repo}/actions"
_RUN = _ACTIONS + "/runs/{id}"
_ATTEMPT = _RUN + "/attempts/{number}"


@route("GET", _ACTIONS + "/runs")
def list_runs(call: Call) -> Reply:
    """REST's "List workflow runs for a repository", with its parameters branch and head_sha."""
    repo, query = call.repo("read", "actions"), call.request.query
    found = [
        _run_json(call, repo, run)
        for run in reversed(repo.actions_runs.values())
        if query.get("branch") in {None, run.branch} and query.get("head_sha") in {None, run.sha}
    ]
    return Reply(body={"total_count": len(found), "workflow_runs": call.slice(found)})


@route("GET", _RUN)
@route("GET", _ATTEMPT)
def get_run(call: Call) -> Reply:
    repo = call.repo("read", "actions")
    return Reply(body=_run_json(call, repo, _run(call, repo)))


@route("GET", _RUN + "/jobs")
@route("GET", _ATTEMPT + "/jobs")
def list_jobs(call: Call) -> Reply:
    """Of the newest attempt, whichever is asked for."""
    repo = call.repo("read", "actions")
    found = [job_json(call, repo, one) for one in ci.checks_of(repo, _run(call, repo))]
    return Reply(body={"total_count": len(found), "jobs": call.slice(found)})


@route("GET", _RUN + "/logs")
@route("GET", _ATTEMPT + "/logs")
def get_logs(call: Call) -> Reply:
    """REST's "Download workflow run logs": a redirect as well, to an archive."""
    repo = call.repo("read", "actions")
    call.viewer.require_login()
    place = place_of(call.state, "runs", _run(call, repo).id)
    return Reply(status=302, body=b"", headers={"Location": place})


@route("POST", _RUN + "/rerun-failed-jobs")
def rerun_failed_jobs(call: Call) -> Reply:
    repo = call.repo("write", "actions")
    ci.rerun_failed(call.state, repo, _run(call, repo))
    return Reply(status=201, body={})


@route("GET", _RUN + "/artifacts")
def list_artifacts(call: Call) -> Reply:
    """Nobody keeps any."""
    _run(call, call.repo("read", "actions"))
    return Reply(body={"total_count": 0, "artifacts": []})


@route("GET", _ACTIONS + "/workflows")
def list_workflows(call: Call) -> Reply:
    repo = call.repo("read", "actions")
    found = [_workflow_json(call, repo, name) for name in _workflows(repo)]
    return Reply(body={"total_count": len(found), "workflows": call.slice(found)})


@route("GET", _ACTIONS + "/workflows/{id}")
def get_workflow(call: Call) -> Reply:
    repo = call.repo("read", "actions")
    for name in _workflows(repo):
        if _workflow_id(repo, name) == int(call.params["id"]):
            return Reply(body=_workflow_json(call, repo, name))
    raise not_found()


def _run(call: Call, repo: Repo) -> ActionsRun:
    found = repo.actions_runs.get(int(call.params["id"]))
    if found is None:
        raise not_found()
    return found


def _moved_at(check: CheckRun) -> datetime | None:
    return check.completed_at or check.started_at


def _workflows(repo: Repo) -> list[str]:
    return sorted({run.workflow for run in repo.actions_runs.values()})


def _workflow_id(repo: Repo, name: str) -> int:
    """That of its first run."""
    return min(run.id for run in repo.actions_runs.values() if run.workflow == name)


def _workflow_json(call: Call, repo: Repo, name: str) -> Json:
    id_ = _workflow_id(repo, name)
    return {
        "id": id_,
        "name": name,
        "path": f".github/workflows/{name.lower()}.yml",
        "state": "active",
        "url": f"{call.render.repo_url(repo)}/actions/workflows/{id_}",
        "html_url": call.render.repo_page(repo),
    }


def _run_json(call: Call, repo: Repo, run: ActionsRun) -> Json:
    checks = ci.checks_of(repo, run)
    done = all(check.status == "completed" for check in checks)
    fine = all(check.conclusion in {"success", "skipped", "neutral"} for check in checks)
    url = f"{call.render.repo_url(repo)}/actions/runs/{run.id}"
    return {
        "id": run.id,
        "name": run.workflow,
        "display_title": run.workflow,
        "workflow_id": _workflow_id(repo, run.workflow),
        "run_number": 1,
        "run_attempt": run.attempt,
        "event": "push",
        "status": "completed" if done else "in_progress",
        "conclusion": ("success" if fine else "failure") if done else None,
        "head_branch": run.branch,
        "head_sha": run.sha,
        "head_commit": {"message": run.workflow},
        "created_at": iso(run.created_at),
        "run_started_at": iso(run.created_at),
        "updated_at": iso(max(filter(None, [run.created_at, *map(_moved_at, checks)]))),
        "url": url,
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "html_url": f"{call.render.repo_page(repo)}/actions/runs/{run.id}",
        "head_repository": {"name": repo.name, "owner": {"login": repo.owner}},
        "repository": call.render.repo(repo),
    }
