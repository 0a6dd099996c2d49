"""What of checks GitHub does not tell a token, remembered for a while: nothing is refused twice.

GitHub has no permission `checks` for fine-grained tokens (cli/cli#12597). In private repositories
it answers all of a query but for check runs, which are null with an error each. What they come to
together, the state of `statusCheckRollup`, it tells some of these tokens, and refuses others.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from cw.forges.reading import Facts
from cw.github.connection import Connection

_LIFE = timedelta(hours=1)
_ROLLUP = "statusCheckRollup"


class Part(StrEnum):
    """Each with the right that a token of any kind needs for it, for people."""

    ROLLUP = "checks, or commit statuses: read"  # what they come to together, in GraphQL
    RUNS = "checks: read"  # each, in GraphQL
    ACTIONS = "actions: read"
    STATUSES = "commit statuses: read"


class Refusals:
    """Of one token, by repository. Whoever reads them keeps them as they were when it began."""

    def __init__(self, github: Connection, facts: Facts) -> None:
        self._mark = github.token_mark
        self._facts = facts
        self._known: dict[tuple[str, Part], bool] = {}

    def has(self, repo: str, part: Part) -> bool:
        key = repo.lower(), part
        if key not in self._known:
            self._known[key] = self._facts.fact(self._name(repo, part)) is not None
        return self._known[key]

    def add(self, repo: str, part: Part) -> None:
        if not self.has(repo, part):
            self._known[repo.lower(), part] = True
            self._facts.keep_fact(self._name(repo, part), "", _LIFE)

    def took(self, repo: str, error: Mapping[str, Any]) -> bool:
        """Of an error of GraphQL: whether it is only this, which is then remembered."""
        path = list(error.get("path") or ())
        if error.get("type") != "FORBIDDEN" or _ROLLUP not in path:
            return False
        whole = path[-1] == _ROLLUP
        self.add(repo, Part.ROLLUP if whole else Part.RUNS)
        return True

    def runs(self, repo: str) -> bool:
        """Whether its checks have to be read elsewhere."""
        return self.has(repo, Part.RUNS) or self.has(repo, Part.ROLLUP)

    def _name(self, repo: str, part: Part) -> str:
        return f"refused:{self._mark}:{repo.lower()}:{part.name.lower()}"
