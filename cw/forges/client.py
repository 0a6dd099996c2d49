"""What is asked of a forge with one token, and done there; GitHub's answer is `cw.github.client`.

Each protocol is what somebody here needs; `Client` is all of them. `repo`: `owner/name` as it is
called now, but where an id is given beside it. Every method raises GitHubUnavailableError when
asking again later may help (GitHubLimitError: it asks to wait), and GitHubRefusedError when it
will not (BadTokenError: the token; GoneError: there is no such thing). Writes can be repeated: a
label, comment or pull request that is there already is no error. Several threads call at once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol, Self

from cw.forges.issues import Issue, Thread
from cw.forges.pulls import MergeMethod, Pull, Push
from cw.forges.reading import Facts, Kept, PageCache, Places, Reader
from cw.forges.repairing import Failure, Reviewed
from cw.forges.repositories import Repository
from cw.forges.reviewing import Reviewing
from cw.forges.watched import Watch


class Names(Protocol):
    def name_of(self, repo: str, repo_id: int) -> str:
        """What it is called now. `repo`: what it was called; all there is to go by if `repo_id` is
        0.
        """


class Repositories(Names, Protocol):
    @property
    def token_mark(self) -> str:
        """Another one for each token; says nothing of it."""

    def repository(self, repo: str) -> Repository:
        """By any name that it has or had."""

    def missing(self, found: Repository) -> tuple[str, ...]:
        """What the token lacks there, for people."""

    def unread(self, found: Repository) -> tuple[str, ...]:
        """Likewise, for reading what checks say there. Asked now."""


class Labels(Protocol):
    def ensure_label(self, repo: str, name: str, description: str, colour: str = ...) -> None:
        """Make it, if the repository lacks it. `colour`: six hexadecimal digits."""

    def add_label(self, repo: str, number: int, name: str) -> tuple[str, ...]:
        """All labels of the issue after the write."""

    def remove_label(self, repo: str, number: int, name: str) -> None:
        """Absent is fine."""


class Issues(Protocol):
    def issue(self, repo: str, number: int) -> Issue:
        """Raises GoneError for one that was transferred, with where to."""

    def thread(self, repo: str, number: int) -> Thread:
        """All of it at one moment."""

    def reader(self, pages: PageCache) -> Reader: ...


class Branches(Protocol):
    def standing(self, repo: str, branch: str) -> tuple[str, tuple[Pull, ...]]:
        """The branch's head, empty when there is none; and its pull requests, newest first, without
        those of forks.
        """


class Pulls(Protocol):
    def opened(self, repo: str, branch: str, since: datetime) -> tuple[list[Pull], list[Pull]]:
        """Open ones: of this repository's branch; and others that the token's account opened since
        then, of whatever branch. Newest first.
        """

    def find_pull(self, repo: str, branch: str, base: str = "") -> Pull | None:
        """The newest of this branch, of open ones rather one into `base`; never a fork's."""

    def open_pull(
        self, repo: str, *, branch: str, base: str, title: str, body: str, draft: bool = False
    ) -> Pull:
        """Open it, or return the one that is open. Where there are no drafts it is none."""

    def retarget(self, repo: str, number: int, base: str) -> None:
        """Have it go into another branch."""


class Pushes(Protocol):
    def last_push(self, repo: str, ref: str) -> tuple[str, str]:
        """What the newest push, or deletion, made of it, and whose it was; empty: it knows none."""

    def pushes(self, repo: str, ref: str, since: datetime) -> list[Push]:
        """Since then, oldest first; at most the last 100."""


class Merging(Protocol):
    def merge_methods(self, repo: str) -> tuple[MergeMethod, ...]:
        """Those that the repository allows, the preferred one first."""

    def changed_files(self, repo: str, number: int) -> frozenset[str]:
        """Of a pull request, under their names before and after."""

    def merge(self, repo: str, number: int, *, head: str, method: MergeMethod) -> str:
        """Returns the commit. GitHubRefusedError: its head is another one now, it cannot be merged,
        or the token may not. GitHubUnavailableError: it may have been merged all the same.
        """


class Threads(Protocol):
    """What is done in the threads of a review."""

    def reply(self, repo: str, number: int, thread_id: str, body: str, mark: str) -> None:
        """With the mark, hidden; unless the token's account has answered there with it."""

    def resolve(self, repo: str, thread_id: str) -> None:
        """One that is resolved stays so."""


class Repairing(Threads, Protocol):
    """What a repair of a pull request is told, and what is done for it."""

    def failures(
        self, repo: str, head: str, names: Collection[str], kept: Kept, *, logs: bool = True
    ) -> tuple[Failure, ...]:
        """Those checks and statuses of this head, by their names, that are red now; several of one
        name are several. What may not be read of one is left out, and its log's absence said.
        Without `logs` none is asked for: each is a request, and up to 64 MB.
        """

    def rerun(self, repo: str, rerunnables: Collection[str]) -> None:
        """Have checks run again; where that is one deed for all that failed together, all of these.
        GitHubRefusedError: also while others of their run are under way, and when that is too long
        ago.
        """

    def threads(self, repo: str, number: int) -> Reviewed: ...


class Drafts(Protocol):
    def to_draft(self, repo: str, number: int) -> bool:
        """False: there are no drafts. One that is closed, merged or a draft stays as it is."""

    def mark_ready(self, repo: str, number: int) -> None:
        """A draft is none any more. One that is closed, merged or no draft stays as it is."""


class Writes(Names, Labels, Threads, Drafts, Protocol):
    """What the outbox has done."""

    @property
    def token_mark(self) -> str: ...

    def well(self) -> bool:
        """Whether the forge answers at all. Costs nothing and raises nothing."""

    def comment_once(self, repo: str, number: int, body: str, marks: Sequence[str]) -> None:
        """With the first mark, hidden; unless the token's account has made it with one of them."""


class Settling(Pulls, Pushes, Drafts, Protocol):
    """What a run is judged by."""

    @property
    def is_app(self) -> bool: ...

    def beside(self, token: str) -> Self:
        """At the same place, with another token."""

    def written(self, repo: str, numbers: Sequence[int], since: datetime) -> tuple[str, ...]:
        """The URLs of those issues that the token's account created since then."""


class Dispatching(Issues, Repositories, Labels, Branches, Protocol):
    """What a dispatch needs."""


class Client(Dispatching, Settling, Merging, Repairing, Reviewing, Writes, Protocol):
    """All of it. `is_app`: the key is `Tokens`, which are for one repository each."""

    def places(self, facts: Facts) -> Places: ...

    def watch(self, kept: Kept) -> Watch: ...

    def check_token(self) -> None:
        """Raises BadTokenError for one that is not accepted. Costs nothing. Not for Apps."""

    def heard(self) -> tuple[int, int, int] | None:
        """Requests left, of how many, and when they are renewed (epoch seconds), as the last answer
        said; None: it did not.
        """
