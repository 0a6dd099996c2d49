"""What passes over GitHub share: what they report, and how GitHub's troubles end them early."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cw.errors import CwError, GitHubLimitError, GitHubRefusedError, GitHubUnavailableError
from cw.forges.repositories import Place, moved
from cw.models import Model, Task
from cw.names import repo_key
from cw.store.locks import LockLostError

if TYPE_CHECKING:
    from cw.operations.passes.context import PassContext

_TROUBLES = 3  # in a row, after which GitHub is taken to be away

RowT = TypeVar("RowT", bound=Model)


class Passed(Model, Generic[RowT]):
    """What one pass did."""

    rows: tuple[RowT, ...] = ()
    warnings: tuple[str, ...] = ()
    stopped: str = ""  # why it ended early
    busy: bool = False  # another pass is under way; this one left it the rest
    asked: int = 0  # conditional reads, of which
    unchanged: int = 0  # were free


PassedT = TypeVar("PassedT", bound=Passed[Any])


@dataclass
class GitHubPass(Generic[RowT]):
    """What a pass collects while it is under way."""

    ways: PassContext
    dry_run: bool = False
    rows: list[RowT] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    troubles: int = 0

    def __post_init__(self) -> None:
        self.reader = self.ways.github.reader(self.ways.store.github)
        self.places = self.ways.github.places(self.ways.store.github)

    def find(self, names: Collection[str]) -> list[Place]:
        """These repositories as GitHub calls them now, each once. What it does not know is told."""
        known = self.places.known(names)
        found: dict[int, Place] = {}
        for name in names:
            try:
                place = known.get(name) or self.places.place(name)
            except (GitHubRefusedError, GitHubUnavailableError) as error:
                self.told(name, error)
                continue
            if moved(place, name):
                self.warnings.append(f"{name} is called {place.name} now")
            found[place.id] = place
        return list(found.values())

    def key(self, task: Task) -> tuple[str, int]:
        """Of a task that was recorded without its repository's id as well."""
        spec = task.spec
        if spec.repo_id or not spec.github:
            return spec.key
        try:
            known = self.places.known([spec.repo]).get(spec.repo) or self.places.place(spec.repo)
        except CwError:
            return spec.key
        return repo_key(spec.repo, known.id), spec.issue or 0

    def report(self, kind: type[PassedT], work: Callable[[], None]) -> PassedT:
        """Do the work, as far as GitHub and the lock allow, and tell what was done."""
        stopped, busy = "", False
        try:
            work()
        except GitHubUnavailableError as error:
            stopped = error.line()
        except LockLostError:
            busy = True
        return kind(
            rows=tuple(self.rows),
            warnings=(*self.warnings, *self.reader.odd),
            stopped=stopped,
            busy=busy,
            asked=self.reader.asked,
            unchanged=self.reader.unchanged,
        )

    def told(self, repo: str, error: CwError) -> None:
        """A trouble with one repository; raises it when it means something for all of them: when
        GitHub answers nothing else either.
        """
        if isinstance(error, GitHubUnavailableError):
            if isinstance(error, GitHubLimitError) or not self.ways.github.well():
                raise error
            self.bear(error)
        self.warnings.append(f"{repo}: {error.line()}")

    def bear(self, error: GitHubUnavailableError) -> None:
        """Count a trouble with one row; raises it when it means something for all of them."""
        self.troubles += 1
        if isinstance(error, GitHubLimitError) or self.troubles >= _TROUBLES:
            raise error
