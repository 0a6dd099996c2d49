"""GitHub Actions over REST: jobs, their logs, annotations, and running them again."""

from . import ci
from .job_logs import place_of
from .model import CheckRun, Repo
from .render import Json, maybe_iso
from .routing import Call, route
from .state import iso
from .wire import ApiError, Reply, not_found

_REPO = "/repos/{owner}/{repo}"
_JOB = _REPO + "/actions/jobs/{id}"


@route("GET", _REPO + "/check-runs/{id}/annotations")
def list_annotations(call: Call) -> Reply:
    """REST's "List check run annotations"; its level is in lower case."""
    repo = call.repo("read", "checks")
    return call.page(
        [
            {
                "path": note.path,
                "start_line": note.line,
                "end_line": note.line,
                "annotation_level": note.level,
                "title": "",
                "message": note.message,
                "raw_details": None,
            }
            for note in _check(call, repo).annotations
        ]
    )


@route("GET", _JOB)
def get_job(call: Call) -> Reply:
    repo = call.repo("read", "actions")
    return Reply(body=job_json(call, repo, _job(call, repo)))


@route("GET", _JOB + "/logs")
def get_log(call: Call) -> Reply:
    """REST's "Download job logs for a workflow run": "returns a 302 redirect … Look for Location: …
    This link will expire after 1 minute." 404 while there is none.
    """
    repo = call.repo("read", "actions")
    if not call.viewer.login:
        raise ApiError(403, "Must have admin rights to Repository.")
    check = _job(call, repo)
    if check.status != "completed" or not check.log:
        raise not_found()
    return Reply(status=302, body=b"", headers={"Location": place_of(call.state, "jobs", check.id)})


@route("POST", _JOB + "/rerun")
def rerun(call: Call) -> Reply:
    """REST's "Re-run a job from a workflow run": 201 with nothing in it."""
    repo = call.repo("write", "actions")
    job = _job(call, repo)
    ci.rerun(call.state, repo, repo.actions_runs[job.run], [job])
    return Reply(status=201, body={})


def job_json(call: Call, repo: Repo, check: CheckRun) -> Json:
    run, ended = repo.actions_runs[check.run], check.status == "completed"
    times = {
        "started_at": maybe_iso(check.started_at),
        "completed_at": maybe_iso(check.completed_at),
    }
    state = {"status": check.status, "conclusion": check.conclusion}
    url = call.render.repo_url(repo)
    return {
        "id": check.id,
        "run_id": run.id,
        "run_url": f"{url}/actions/runs/{run.id}",
        "run_attempt": run.attempt,
        "head_sha": run.sha,
        "head_branch": run.branch,
        "workflow_name": run.workflow,
        "name": check.name,
        "url": f"{url}/actions/jobs/{check.id}",
        "html_url": check.url,
        "check_run_url": f"{url}/check-runs/{check.id}",
        "created_at": iso(run.created_at),
        **state,
        **times,
        "steps": [{"name": ci.STEP, "number": 1, **state, **times}] if ended else [],
    }


def _check(call: Call, repo: Repo) -> CheckRun:
    found = repo.check_runs.get(int(call.params["id"]))
    if found is None:
        raise not_found()
    return found


def _job(call: Call, repo: Repo) -> CheckRun:
    """Check runs of other Apps are no jobs."""
    found = _check(call, repo)
    if not found.run:
        raise not_found()
    return found
