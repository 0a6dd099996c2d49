"""What a person does at a pull request after reading it, in the name of the token's account."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cw.errors import GitHubRefusedError

MOST = 1_000_000  # characters of a diff that are read


class OwnPullError(GitHubRefusedError):
    """The forge takes no such review, as the token's account opened the pull request itself."""


class Opinion(StrEnum):
    APPROVE = "approve"
    CHANGES = "changes"  # and `body` says which


@dataclass(frozen=True, slots=True)
class Diff:
    """Against where it left its base. `cut`: it is longer than this; with an empty text, the forge
    makes none of that size.
    """

    text: str
    cut: bool = False


class Reviewing(Protocol):
    """Errors: as `cw.forges.client` says. None of these writes is repeated by itself: one that
    raises GitHubUnavailableError may have been done all the same.
    """

    def diff(self, repo: str, number: int, most: int = MOST) -> Diff:
        """Of the head of now, at most so many characters of it."""

    def review(self, repo: str, number: int, *, head: str, opinion: Opinion, body: str) -> None:
        """Of this head. Raises OwnPullError."""

    def start_thread(self, repo: str, number: int, *, head: str, body: str) -> None:
        """About the first of the files that it changes. Whoever opened it may, too."""

    def close(self, repo: str, number: int) -> None:
        """Without merging it. One that is closed stays so."""
