"""Why checks of a commit are red, and having them run again. Valid by GitHub's published schema
(@octokit/graphql-schema 15.26.1): one point of GraphQL, and three requests for each job of Actions.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from cw.errors import BadTokenError, GitHubRefusedError
from cw.forges.reading import Kept
from cw.forges.repairing import NOTE_CHARS, NOTES, SUMMARY_CHARS, TITLE_CHARS, Failure, Note
from cw.github.connection import Connection
from cw.github.errors import github_errors
from cw.github.expected import ROWS, Expected
from cw.github.head_checks import HeadChecks
from cw.github.job_log import read_log
from cw.github.refusals import Refusals
from cw.github.watched_rows import is_red, is_status, name_of_check, nodes

_QUERY = """query Failures($owner: String!, $name: String!, $head: GitObjectID!) {
  repository(owner: $owner, name: $name) { object(oid: $head) { ... on Commit {
    statusCheckRollup { contexts(first: 100) { nodes { __typename
      ... on CheckRun { databaseId name status conclusion title summary startedAt completedAt
        detailsUrl checkSuite { workflowRun { workflow { name } } } }
      ... on StatusContext { context state description targetUrl createdAt } } } }
  } } }
}"""
# The page of a job, whose id is that of its check run; not always the number in it. Check runs that
# somebody else makes with the token of a workflow are in its suite as well, and have other pages:
# nothing can run them again.
_JOB_PAGE = re.compile(r"/actions/runs/(\d+)/jobs?/\d+(?:[?#]|$)")
_RERUNNABLE = re.compile(r"(\d+)/(\d+)")  # a run of a workflow, and a job of it
_NO_JOB = "no job of GitHub Actions"
_LEVELS = ("failure", "warning", "notice")  # of annotations, the worst first


def failures(
    github: Connection,
    repo: str,
    head: str,
    names: Collection[str],
    kept: Kept,
    *,
    logs: bool,
) -> tuple[Failure, ...]:
    refusals = Refusals(github, kept)
    with github_errors(f"checks of {repo}"):
        rows = [] if refusals.runs(repo) else _rows(github, repo, head, refusals)
        told = not refusals.runs(repo)  # which may be news
        if not told:
            rows = list(HeadChecks(github, kept, refusals).of(repo, head).rows)
        return tuple(
            _status(row) if is_status(row) else _run(github, repo, row, logs=logs, told=told)
            for row in rows
            if name_of_check(row) in names and is_red(row)
        )


def _rows(github: Connection, repo: str, head: str, refusals: Refusals) -> list[Any]:
    owner, _, name = repo.partition("/")
    variables = {"owner": owner, "name": name, "head": head}
    data = github.graphql(repo, _QUERY, variables, took=lambda error: refusals.took(repo, error))
    commit = data["repository"]["object"] or {}
    rollup = commit.get("statusCheckRollup") or {"contexts": None}
    return nodes(rollup["contexts"])


def rerun(github: Connection, repo: str, rerunnables: Collection[str]) -> None:
    """Not to be repeated. Several jobs of one run are run again by one request for all that failed
    in it: once one of them runs GitHub refuses the others.
    """
    jobs: dict[str, list[str]] = {}
    for one in rerunnables:
        found = _RERUNNABLE.fullmatch(one)
        if not found:
            raise GitHubRefusedError(f"no check of {repo} is known to run again as {one!r}")
        jobs.setdefault(found[1], []).append(found[2])
    mine = github.with_right(repo, "actions")
    for run, (job, *others) in jobs.items():
        place = f"runs/{run}/rerun-failed-jobs" if others else f"jobs/{job}/rerun"
        what, path = f"job {job} of {repo}", f"/repos/{repo}/actions/{place}"
        mine.ask(what, repo, "POST", path, expected=Expected(object))


def _status(row: Any) -> Failure:
    return Failure(
        name=name_of_check(row),
        conclusion=str(row["state"]).lower(),
        title=_cut(row["description"], TITLE_CHARS),
        url=str(row["targetUrl"] or ""),
        no_log="a status has none",
        completed_at=_moment(row["createdAt"]),
    )


def _run(github: Connection, repo: str, row: Any, *, logs: bool, told: bool) -> Failure:
    """`told`: the token may read check runs, which annotations are of."""
    url = str(row["detailsUrl"] or "")
    page, job = _JOB_PAGE.search(url), str(row["databaseId"])
    log, no_log = _log(github, repo, job, logs=logs) if page else ("", _NO_JOB)
    notes = _notes(github, repo, job) if told else ()
    return Failure(
        name=name_of_check(row),
        conclusion=str(row["conclusion"]).lower(),
        title=_cut(row["title"], TITLE_CHARS),
        summary=_cut(row["summary"], SUMMARY_CHARS),
        url=url,
        log=log,
        no_log=no_log,
        notes=notes[:NOTES],
        more_notes=max(0, len(notes) - NOTES),
        started_at=_moment(row["startedAt"]),
        completed_at=_moment(row["completedAt"]),
        rerunnable=f"{page[1]}/{job}" if page else "",
    )


def _log(github: Connection, repo: str, job: str, *, logs: bool) -> tuple[str, str]:
    return read_log(github, repo, job) if logs else ("", "nobody asked for it")


def _notes(github: Connection, repo: str, run: str) -> tuple[Note, ...]:
    """Of the first hundred annotations, the worst first. None where the token may not."""
    path = f"/repos/{repo}/check-runs/{run}/annotations?per_page=100"
    try:
        rows = github.ask(f"annotations of {repo}", repo, "GET", path, expected=ROWS).data
    except BadTokenError:
        raise
    except GitHubRefusedError:
        return ()
    return tuple(
        Note(
            path=str(row["path"]),
            line=int(row["start_line"] or 0),
            message=_cut(row["message"], NOTE_CHARS),
        )
        for row in sorted(rows, key=_level)
    )


def _level(row: Any) -> int:
    level = row["annotation_level"]
    return _LEVELS.index(level) if level in _LEVELS else len(_LEVELS)


def _cut(text: str | None, most: int) -> str:
    return text if text and len(text) <= most else f"{text[: most - 1]}…" if text else ""


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
