"""Which repository a name means now: names change and are given to others, GitHub's ids do not."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from cw.forges.reading import Facts
from cw.forges.repositories import Place
from cw.github.connection import Connection
from cw.github.errors import github_errors

_LIFE = timedelta(days=1)
_AT_ONCE = 50  # in one query, which costs one point


class Places:
    """Remembered for a day, as it seldom changes: whoever acts on it asks `place` again."""

    def __init__(self, github: Connection, facts: Facts) -> None:
        self._github = github
        self._facts = facts

    def known(self, names: Collection[str]) -> dict[str, Place]:
        """By name as given. What is not there GitHub did not tell: `place` says why."""
        found = {name: place for name in names if (place := self._remembered(name))}
        unknown = [name for name in names if name not in found]
        if not self._github.is_app:  # whose tokens are for one repository each
            for at in range(0, len(unknown), _AT_ONCE):
                found |= self._ask(unknown[at : at + _AT_ONCE])
        return found

    def place(self, repo: str, repo_id: int = 0) -> Place:
        """Asked now: by its id, else by any name it has or had. Raises GitHubRefusedError,
        GitHubUnavailableError.
        """
        what = f"repository {repo}"
        path = f"/repositories/{repo_id}" if repo_id else f"/repos/{repo}"
        with github_errors(what):
            row = self._github.ask(what, repo, "GET", path).data
            return self._keep(repo, Place(id=int(row["id"]), name=str(row["full_name"])))

    def _remembered(self, name: str) -> Place | None:
        kept = self._facts.fact(_fact(name))
        return Place.model_validate(json.loads(kept)) if kept else None

    def _keep(self, name: str, place: Place) -> Place:
        for known_as in {name.lower(), place.name.lower()}:
            self._facts.keep_fact(_fact(known_as), place.model_dump_json(), _LIFE)
        return place

    def _ask(self, names: list[str]) -> dict[str, Place]:
        if not names:
            return {}
        variables = {
            f"{part}{at}": text
            for at, name in enumerate(names)
            for part, text in zip("on", name.split("/", 1), strict=True)
        }
        declared = ", ".join(f"${variable}: String!" for variable in variables)
        asked = " ".join(
            f"r{at}: repository(owner: $o{at}, name: $n{at}) {{ databaseId nameWithOwner }}"
            for at in range(len(names))
        )
        with github_errors("repositories"):
            query = f"query Places({declared}) {{ {asked} }}"
            data = self._github.graphql(names[0], query, variables, partly=True)
            return dict(self._told(names, data))

    def _told(self, names: list[str], data: Any) -> Iterable[tuple[str, Place]]:
        for at, name in enumerate(names):
            if row := data.get(f"r{at}"):
                place = Place(id=int(row["databaseId"]), name=str(row["nameWithOwner"]))
                yield name, self._keep(name, place)


def _fact(name: str) -> str:
    return f"place:{name.lower()}"
