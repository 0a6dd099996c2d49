"""A pass' questions about pull requests, as far as GitHub answers them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from cw.errors import CwError, GitHubRefusedError, GitHubUnavailableError

if TYPE_CHECKING:
    from cw.forges.watched import Glance, Look, PullName, Watch

# After so many it is seen whether another pass has taken over: a look may be several requests.
_GLANCES, _LOOKS = 100, 20

T = TypeVar("T")


class Asking:
    """`told`: called with a repository that is not answered for, and why; it raises what means
    something for all. `step`: called between requests.
    """

    def __init__(
        self, watch: Watch, told: Callable[[str, CwError], None], step: Callable[[], None]
    ) -> None:
        self._watch = watch
        self._told = told
        self._step = step
        self._unanswered: set[str] = set()

    def glances(self, wanted: Collection[PullName]) -> dict[PullName, Glance]:
        return self._ask(self._watch.glances, wanted, _GLANCES)

    def looks(self, wanted: Collection[PullName]) -> dict[PullName, Look]:
        return self._ask(self._watch.looks, wanted, _LOOKS)

    def gone(self, name: PullName) -> bool:
        """Of one that was asked about and is not in the answers: whether it is not there."""
        return name.repo not in self._unanswered and name not in self._watch.odd

    def _ask(
        self,
        question: Callable[[Collection[PullName]], Mapping[PullName, T]],
        wanted: Collection[PullName],
        at_once: int,
    ) -> dict[PullName, T]:
        """A repository that refuses keeps nobody from asking of the others."""
        found: dict[PullName, T] = {}
        for names in _parts(sorted(wanted, key=lambda name: name.repo.lower()), at_once):
            self._step()
            try:
                found |= question(names)
            except GitHubRefusedError:
                for repo in sorted({name.repo for name in names}):
                    found |= self._apart(question, repo, names)
        return found

    def _apart(
        self,
        question: Callable[[Collection[PullName]], Mapping[PullName, T]],
        repo: str,
        names: Collection[PullName],
    ) -> Mapping[PullName, T]:
        try:
            return question([name for name in names if name.repo == repo])
        except (GitHubRefusedError, GitHubUnavailableError) as error:
            self._unanswered.add(repo)
            self._told(repo, error)
            return {}


def _parts(names: list[PullName], at_once: int) -> Iterator[list[PullName]]:
    for begin in range(0, len(names), at_once):
        yield names[begin : begin + at_once]
