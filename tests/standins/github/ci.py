"""GitHub Actions: jobs that begin by themselves on each push, as a test's rule says.

GitHub's documentation, "Re-run a job from a workflow run" and "Re-running workflows and jobs": "up
to 30 days after its initial run", of the same commit. A job and its check run have one id, and so
one page: /actions/runs/{run}/job/{id}. One that runs again is a new check run, which counts then.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from . import gitrepo
from .model import ActionsRun, Annotation, CheckRun, Repo
from .state import State
from .wire import ApiError

STEP = "Run"  # the only one that a job has, so that its log has one part
FAILED = frozenset({"failure", "timed_out", "cancelled", "startup_failure"})
_OLDEST = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """A branch as a push left it. `attempt`: from 1, of one job's runs on this commit."""

    repo: str
    branch: str
    sha: str
    path: Path  # the bare repository
    attempt: int = 1

    def file(self, name: str) -> str | None:
        """What is in it; None: it is not there."""
        return gitrepo.read_file(self.path, self.sha, name)


@dataclass(frozen=True, kw_only=True)
class Job:
    """`held`: it runs until somebody lets it go, and ends with its conclusion then. Without a
    workflow it is another App's check.
    """

    name: str
    conclusion: str = "success"
    held: bool = False
    workflow: str = "CI"
    log: str = ""
    title: str = ""
    summary: str = ""
    annotations: tuple[Annotation, ...] = field(default=())


Rule = Callable[[Pushed], Iterable[Job]]


def on_push(state: State, repo: Repo, branch: str, sha: str) -> None:
    """What the rule says begins, unless this commit has been looked at on another branch."""
    if state.ci is None or sha in repo.checks:
        return
    pushed = Pushed(repo=repo.full_name, branch=branch, sha=sha, path=repo.path)
    for job in state.ci(pushed):
        put(state, repo, sha, job, branch=branch)


def put(state: State, repo: Repo, sha: str, job: Job, *, branch: str = "") -> CheckRun:
    """In place of the one of this name; one that was under way is the same one still."""
    before = _named(repo, sha, job)
    same = before is not None and before.status != "completed"
    run = _run_of(state, repo, sha, job.workflow, branch) if job.workflow else None
    made = before.id if before and same else state.new_id()
    page = f"{state.web_url}/{repo.full_name}/"
    check = CheckRun(
        id=made,
        name=job.name,
        workflow=job.workflow,
        run=run.id if run else 0,
        status="in_progress" if job.held else "completed",
        conclusion=None if job.held else job.conclusion,
        ends=job.conclusion,
        started_at=before.started_at if before and same else state.now(),
        completed_at=None if job.held else state.now(),
        url=f"{page}actions/runs/{run.id}/job/{made}" if run else f"{page}runs/{made}",
        title=job.title,
        summary=job.summary,
        log=job.log,
        annotations=job.annotations,
    )
    kept = [one for one in repo.checks.get(sha, []) if one is not before]
    repo.checks[sha] = [*kept, check]
    repo.check_runs[made] = check
    return check


def let_go(state: State, repo: Repo, sha: str, names: Iterable[str]) -> None:
    """Those that are under way end as they have to; all of them, if none is named."""
    wanted = set(names)
    for check in list(repo.checks.get(sha, [])):
        if isinstance(check, CheckRun) and check.status != "completed":
            if wanted and check.name not in wanted:
                continue
            ended = replace(
                check, status="completed", conclusion=check.ends, completed_at=state.now()
            )
            repo.checks[sha][repo.checks[sha].index(check)] = ended
            repo.check_runs[check.id] = ended


def rerun(state: State, repo: Repo, run: ActionsRun, checks: Iterable[CheckRun]) -> None:
    """By the rule, with one attempt more; where it says nothing they run until they are let go."""
    if any(one.status != "completed" for one in checks_of(repo, run)):
        raise ApiError(403, "The workflow run containing this job is already running")
    if state.now() - run.created_at > _OLDEST:
        raise ApiError(
            403, "Unable to retry this workflow run because it was created over a month ago"
        )
    run.attempt += 1
    pushed = Pushed(
        repo=repo.full_name, branch=run.branch, sha=run.sha, path=repo.path, attempt=run.attempt
    )
    told = {(job.name, job.workflow): job for job in (state.ci(pushed) if state.ci else ())}
    for check in checks:
        held = Job(name=check.name, conclusion=check.ends, workflow=check.workflow, held=True)
        put(state, repo, run.sha, told.get((check.name, check.workflow), held))


def rerun_failed(state: State, repo: Repo, run: ActionsRun) -> None:
    """REST's "Re-run failed jobs from a workflow run"."""
    failed = [one for one in checks_of(repo, run) if one.conclusion in FAILED]
    rerun(state, repo, run, failed)


def checks_of(repo: Repo, run: ActionsRun) -> list[CheckRun]:
    found = repo.checks.get(run.sha, [])
    return [one for one in found if isinstance(one, CheckRun) and one.run == run.id]


def _named(repo: Repo, sha: str, job: Job) -> CheckRun | None:
    for one in repo.checks.get(sha, []):
        if isinstance(one, CheckRun) and (one.name, one.workflow) == (job.name, job.workflow):
            return one
    return None


def _run_of(state: State, repo: Repo, sha: str, workflow: str, branch: str) -> ActionsRun:
    for run in repo.actions_runs.values():
        if (run.sha, run.workflow) == (sha, workflow):
            return run
    run = ActionsRun(
        id=state.new_id(), sha=sha, workflow=workflow, branch=branch, created_at=state.now()
    )
    repo.actions_runs[run.id] = run
    return run
