"""Open pull requests that are watched, many in one query.

Valid by GitHub's published schema (@octokit/graphql-schema 15.26.1). A glance has no connection in
it: GitHub counts a query with fifty of them as one point of the 5,000 an hour. A look has about
forty a pull request, a hundred of which are a point.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import groupby
from typing import Any, TypeVar

from cw.errors import GitHubUnavailableError
from cw.forges.watched import Glance, Look, PullName
from cw.github.connection import Connection
from cw.github.errors import github_errors
from cw.github.watched_rows import read_glance, read_look

_GLANCES = 50  # in one query
_LOOKS = 20

_GLANCE = """state merged updatedAt headRefOid isDraft mergeable reviewDecision baseRefName
    headRef { target { ... on Commit { statusCheckRollup { state } } } }"""

SAID = """id body createdAt lastEditedAt isMinimized authorAssociation viewerDidAuthor
    author { __typename login } editor { __typename login }"""

_CHECKS = """statusCheckRollup { contexts(first: 100) { nodes { __typename
    ... on CheckRun { name status conclusion startedAt REQUIRED
      checkSuite { workflowRun { workflow { name } } } }
    ... on StatusContext { context state createdAt REQUIRED } } } }"""

_LOOK = f"""{_GLANCE}
    title headRefName additions deletions changedFiles author {{ __typename login }}
    labels(first: 50) {{ nodes {{ name }} }}
    assignees(first: 10) {{ nodes {{ login }} }}
    files(first: 100) {{ nodes {{ path }} }}
    latestOpinionatedReviews(first: 20, writersOnly: true) {{ nodes {{
      id state author {{ __typename login }} }} }}
    reviewThreads(last: 30) {{ nodes {{ id isResolved isOutdated
      comments(last: 20) {{ totalCount nodes {{ {SAID} }} }} }} }}
    comments(last: 100) {{ totalCount nodes {{ {SAID} }} }}
    commits(last: 1) {{ nodes {{ commit {{ {_CHECKS} }} }} }}
    baseRef {{ target {{ ... on Commit {{ {_CHECKS} }} }} }}"""

T = TypeVar("T")


class GitHubWatch:
    """As `cw.forges.watched.Watch` has it."""

    def __init__(self, github: Connection) -> None:
        self._github = github
        self.asked = 0
        self.odd: dict[PullName, str] = {}

    def glances(self, wanted: Collection[PullName]) -> dict[PullName, Glance]:
        return self._ask(wanted, _GLANCES, _GLANCE, read_glance)

    def looks(self, wanted: Collection[PullName]) -> dict[PullName, Look]:
        return self._ask(wanted, _LOOKS, _LOOK, read_look)

    def _ask(
        self,
        wanted: Collection[PullName],
        at_once: int,
        fields: str,
        read: Callable[[Any, Any, str], T],
    ) -> dict[PullName, T]:
        found: dict[PullName, T] = {}
        for names in self._parts(sorted(wanted, key=_place), at_once):
            self.asked += 1
            with github_errors("pull requests"):
                answer = self._github.graphql(names[0].repo, _query(names, fields), {}, partly=True)
                rows = list(_rows(answer, names))
            for name, repo, row in rows:
                try:
                    with github_errors(f"pull request {name.repo}#{name.number}"):
                        found[name] = read(repo, row, _mark(row))
                except GitHubUnavailableError as error:
                    self.odd[name] = error.message
        return found

    def _parts(self, names: list[PullName], at_once: int) -> Iterator[tuple[PullName, ...]]:
        """An App's tokens are for one repository each."""
        groups: Iterable[Iterable[PullName]] = [names]
        if self._github.is_app:
            groups = (list(group) for _, group in groupby(names, lambda name: name.repo.lower()))
        for group in map(tuple, groups):
            for begin in range(0, len(group), at_once):
                yield group[begin : begin + at_once]


def _place(name: PullName) -> tuple[str, int]:
    return name.repo.lower(), name.number


def _repos(names: Collection[PullName]) -> dict[str, list[PullName]]:
    found: dict[str, list[PullName]] = {}
    for name in names:
        found.setdefault(name.repo.lower(), []).append(name)
    return found


def _query(names: Collection[PullName], fields: str) -> str:
    """An alias for each repository, and in it for each pull request."""
    parts = []
    for at, group in enumerate(_repos(names).values()):
        owner, _, repo = group[0].repo.partition("/")
        pulls = "\n".join(
            f"  p{name.number}: pullRequest(number: {name.number}) {{ "
            f"{fields.replace('REQUIRED', f'isRequired(pullRequestNumber: {name.number})')} }}"
            for name in group
        )
        parts.append(
            f"  r{at}: repository(owner: {json.dumps(owner)}, name: {json.dumps(repo)})"
            f" {{ databaseId nameWithOwner\n{pulls}\n  }}"
        )
    return "query Watch {\n" + "\n".join(parts) + "\n}"


def _rows(answer: Any, names: Collection[PullName]) -> Iterator[tuple[PullName, Any, Any]]:
    for at, group in enumerate(_repos(names).values()):
        repo = answer[f"r{at}"]
        for name in () if repo is None else group:
            if (row := repo[f"p{name.number}"]) is not None:
                yield name, repo, row


def _mark(row: Any) -> str:
    """Of all that a glance has. Whether it can be merged is apart: the base decides it as well."""
    target = (row["headRef"] or {}).get("target") or {}
    rollup = target.get("statusCheckRollup") or {}
    told = [row[name] for name in ("state", "updatedAt", "headRefOid", "isDraft", "baseRefName")]
    text = json.dumps([*told, row["reviewDecision"], rollup.get("state")])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
