"""Open pull requests that are watched, many in one query.

Valid by GitHub's published schema (@octokit/graphql-schema 15.26.1). A glance has no connection in
it: GitHub counts a query with fifty of them as one point of the 5,000 an hour. A look has about
forty a pull request, a hundred of which are a point.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, TypeVar

from cw.errors import GitHubLimitError, GitHubUnavailableError
from cw.forges.reading import Kept
from cw.forges.watched import Glance, Look, PullName
from cw.github.connection import Connection, Took
from cw.github.errors import github_errors
from cw.github.head_checks import HeadChecks, unread_of
from cw.github.refusals import Part, Refusals
from cw.github.watched_rows import Rows, is_red, read_glance, read_look, read_rows

_GLANCES = 50  # in one query
_LOOKS = 20

_GLANCE = """state merged updatedAt headRefOid isDraft mergeable reviewDecision baseRefName"""
# What all checks come to. GitHub counts old runs in it as well where contexts are asked beside it.
_ROLLUP = "headRef { target { ... on Commit { statusCheckRollup { state } } } }"

SAID = """id body createdAt lastEditedAt isMinimized authorAssociation viewerDidAuthor
    author { __typename login } editor { __typename login }"""

_CHECKS = """statusCheckRollup { contexts(first: 100) { nodes { __typename
    ... on CheckRun { name status conclusion startedAt REQUIRED
      checkSuite { workflowRun { workflow { name } } } }
    ... on StatusContext { context state createdAt REQUIRED } } } }"""

_LOOK = f"""title headRefName additions deletions changedFiles author {{ __typename login }}
    labels(first: 50) {{ nodes {{ name }} }}
    assignees(first: 10) {{ nodes {{ login }} }}
    files(first: 100) {{ nodes {{ path }} }}
    latestOpinionatedReviews(first: 20, writersOnly: true) {{ nodes {{
      id state author {{ __typename login }} }} }}
    reviewThreads(last: 30) {{ nodes {{ id isResolved isOutdated
      comments(last: 20) {{ totalCount nodes {{ {SAID} }} }} }} }}
    comments(last: 100) {{ totalCount nodes {{ {SAID} }} }}"""
_CONTEXTS = f"""commits(last: 1) {{ nodes {{ commit {{ {_CHECKS} }} }} }}
    baseRef {{ target {{ oid ... on Commit {{ {_CHECKS} }} }} }}"""
_BASE = "baseRef { target { oid } }"

_ALIAS = re.compile(r"r\d+")  # of a repository in a query

T = TypeVar("T")


class GitHubWatch:
    """As `cw.forges.watched.Watch` has it. What of checks GitHub does not tell the token is asked
    for no more, and read elsewhere.
    """

    def __init__(self, github: Connection, kept: Kept) -> None:
        self._github = github
        self._refusals = Refusals(github, kept)
        self._elsewhere = HeadChecks(github, kept, self._refusals)
        self._queries = 0
        self.odd: dict[PullName, str] = {}

    @property
    def asked(self) -> int:
        return self._queries + self._elsewhere.asked

    def glances(self, wanted: Collection[PullName]) -> dict[PullName, Glance]:
        def read(_name: PullName, repo: Any, row: Any) -> Glance:
            return read_glance(repo, row, _mark(row))

        return self._ask(wanted, _GLANCES, self._glance_fields, read)

    def looks(self, wanted: Collection[PullName]) -> dict[PullName, Look]:
        def read(name: PullName, repo: Any, row: Any) -> Look:
            return read_look(repo, row, _mark(row), self._checks(name.repo, row))

        return self._ask(wanted, _LOOKS, self._look_fields, read)

    def _glance_fields(self, repo: str) -> str:
        return _GLANCE if self._refusals.has(repo, Part.ROLLUP) else f"{_GLANCE} {_ROLLUP}"

    def _look_fields(self, repo: str) -> str:
        checks = _BASE if self._refusals.runs(repo) else _CONTEXTS
        return f"{self._glance_fields(repo)} {_LOOK} {checks}"

    def _checks(self, repo: str, row: Any) -> Rows:
        """The base's are asked only where they tell something: of a red one whether it is ours."""
        if not self._refusals.runs(repo):
            return read_rows(row)
        if row["state"] != "OPEN":
            return Rows()
        head = self._elsewhere.of(repo, str(row["headRefOid"]))
        base = (row["baseRef"] or {}).get("target")
        told = None if self._refusals.has(repo, Part.ROLLUP) else _together(row)
        return Rows(
            head=head.rows,
            base=self._elsewhere.of(repo, str(base["oid"])).rows
            if base and any(map(is_red, head.rows))
            else (),
            unread=unread_of(told, head),
        )

    def _ask(
        self,
        wanted: Collection[PullName],
        at_once: int,
        fields: Callable[[str], str],
        read: Callable[[PullName, Any, Any], T],
    ) -> dict[PullName, T]:
        found: dict[PullName, T] = {}
        for names in self._parts(sorted(wanted, key=_place), at_once):
            self._queries += 1
            with github_errors("pull requests"):
                query, took = _query(names, fields), self._took(names)
                answer = self._github.graphql(names[0].repo, query, {}, partly=True, took=took)
                rows = list(_rows(answer, names))
            for name, repo, row in rows:
                try:
                    with github_errors(f"pull request {name.repo}#{name.number}"):
                        found[name] = read(name, repo, row)
                except GitHubLimitError:
                    raise
                except GitHubUnavailableError as error:
                    self.odd[name] = error.message
        return found

    def _took(self, names: Collection[PullName]) -> Took:
        repos = [group[0].repo for group in _repos(names).values()]

        def took(error: Mapping[str, Any]) -> bool:
            alias = str(next(iter(error.get("path") or ()), ""))
            at = int(alias[1:]) if _ALIAS.fullmatch(alias) else len(repos)
            return at < len(repos) and self._refusals.took(repos[at], error)

        return took

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


def _query(names: Collection[PullName], fields: Callable[[str], str]) -> str:
    """An alias for each repository, and in it for each pull request."""
    parts = []
    for at, group in enumerate(_repos(names).values()):
        owner, _, repo = group[0].repo.partition("/")
        wanted = fields(group[0].repo)
        pulls = "\n".join(
            f"  p{name.number}: pullRequest(number: {name.number}) {{ "
            f"{wanted.replace('REQUIRED', f'isRequired(pullRequestNumber: {name.number})')} }}"
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


def _together(row: Any) -> str:
    """Empty: it has no checks."""
    target = (row.get("headRef") or {}).get("target") or {}
    return str((target.get("statusCheckRollup") or {}).get("state") or "")


def _mark(row: Any) -> str:
    """Of all that a glance has. Whether it can be merged is apart: the base decides it as well."""
    told = [row[name] for name in ("state", "updatedAt", "headRefOid", "isDraft", "baseRefName")]
    text = json.dumps([*told, row["reviewDecision"], _together(row) or None])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
