"""Checks of a commit for a token that GraphQL does not tell of them: jobs of Actions and commit
statuses, which have permissions of their own. In the shape of GraphQL's rows; whether one is
required is not told, nor what other Apps have checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cw.errors import BadTokenError, GitHubRefusedError, RightMissingError
from cw.forges.reading import Kept
from cw.forges.watched import CheckState, Unread
from cw.github.connection import Connection
from cw.github.listing import ListReader
from cw.github.refusals import Part, Refusals
from cw.github.watched_rows import is_status, state_of_check

_PAGE = {"per_page": 100}
_HARMLESS = frozenset({"SUCCESS", "NEUTRAL", "SKIPPED"})
_TOGETHER = {  # GraphQL's enum StatusState
    "SUCCESS": CheckState.GREEN,
    "FAILURE": CheckState.RED,
    "ERROR": CheckState.RED,
    "PENDING": CheckState.PENDING,
    "EXPECTED": CheckState.PENDING,
}


@dataclass(frozen=True, slots=True)
class Found:
    """`lacks`: rights without which some were not read."""

    rows: tuple[Any, ...] = ()
    lacks: tuple[str, ...] = ()


NOTHING = Found()


class HeadChecks:
    """Conditional reads: one for the runs of a commit, one for the jobs of each, one for its
    statuses. Free while nothing has changed.
    """

    def __init__(self, github: Connection, kept: Kept, refusals: Refusals) -> None:
        self._reader = ListReader(github, kept)
        self._refusals = refusals
        self._known: dict[tuple[str, str], Found] = {}

    @property
    def asked(self) -> int:
        return self._reader.asked

    def of(self, repo: str, sha: str) -> Found:
        """Once for each. Raises GitHubUnavailableError, BadTokenError."""
        key = repo.lower(), sha
        if key not in self._known:
            jobs = self._part(Part.ACTIONS, repo, sha, self._jobs)
            statuses = self._part(Part.STATUSES, repo, sha, self._statuses)
            found = Found((*jobs.rows, *statuses.rows), (*jobs.lacks, *statuses.lacks))
            self._known[key] = found
        return self._known[key]

    def _part(self, part: Part, repo: str, sha: str, ask: Callable[[str, str], list[Any]]) -> Found:
        if self._refusals.has(repo, part):
            return Found(lacks=(part.value,))
        try:
            return Found(rows=tuple(ask(repo, sha)))
        except BadTokenError:
            raise
        except RightMissingError:
            self._refusals.add(repo, part)
        except GitHubRefusedError:
            pass  # of this commit; nothing is known of others
        return Found(lacks=(part.value,))

    def _jobs(self, repo: str, sha: str) -> list[Any]:
        path = f"/repos/{repo}/actions/runs"
        newest: dict[tuple[Any, ...], int] = {}
        for id_, *kind in self._reader.get(path, _run_digest, {"head_sha": sha, **_PAGE}):
            newest[tuple(kind)] = max(id_, newest.get(tuple(kind), 0))
        wanted = {"filter": "latest", **_PAGE}
        return [
            row
            for id_ in sorted(newest.values())
            for row in self._reader.get(f"{path}/{id_}/jobs", _job_digest, wanted)
        ]

    def _statuses(self, repo: str, sha: str) -> list[Any]:
        path = f"/repos/{repo}/commits/{sha}/status"
        rows: list[Any] = self._reader.get(path, _status_digest, _PAGE)
        return rows


def unread_of(rollup: str | None, found: Found) -> Unread | None:
    """What is behind those that could be read. `rollup`: what all come to, as GraphQL says; empty:
    there are none, None: it does not tell this token. Pure.
    """
    if rollup is None:
        return Unread(lacks=found.lacks) if found.lacks else None
    state = _TOGETHER.get(rollup)
    if state is CheckState.RED and any(map(_failed, found.rows)):
        return None
    if state is CheckState.PENDING and any(map(_pending, found.rows)):
        return None
    if state is None or (state is CheckState.GREEN and (found.rows or not found.lacks)):
        return None
    return Unread(state=state, lacks=found.lacks)


def _failed(row: Any) -> bool:
    if is_status(row):
        return state_of_check(row) is CheckState.RED
    return row["status"] == "COMPLETED" and row["conclusion"] not in _HARMLESS


def _pending(row: Any) -> bool:
    return state_of_check(row) is CheckState.PENDING


def _run_digest(found: Any) -> list[Any]:
    return [[row["id"], row["workflow_id"], row["event"]] for row in found["workflow_runs"]]


def _job_digest(found: Any) -> list[Any]:
    return [
        {
            "__typename": "CheckRun",
            "databaseId": job["id"],  # that of its check run as well
            "name": job["name"],
            "status": job["status"].upper(),
            "conclusion": (job["conclusion"] or "").upper() or None,
            "startedAt": job["started_at"],
            "completedAt": job["completed_at"],
            "detailsUrl": job["html_url"],
            "title": None,
            "summary": None,
            "isRequired": False,
            "checkSuite": {"workflowRun": {"workflow": {"name": job["workflow_name"]}}},
        }
        for job in found["jobs"]
    ]


def _status_digest(found: Any) -> list[Any]:
    return [
        {
            "__typename": "StatusContext",
            "context": row["context"],
            "state": row["state"].upper(),
            "description": row["description"],
            "targetUrl": row["target_url"],
            "createdAt": row["created_at"],
            "isRequired": False,
        }
        for row in found["statuses"]
    ]
