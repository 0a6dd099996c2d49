"""Guards at repairs of pull requests."""

from __future__ import annotations

from cw.github import replies
from cw.operations.pulls.mending import Followed, Mender
from cw.pulls import judged, next_step
from cw.pulls.record import PullRecord


def bound() -> None:
    """A cause is mended again, however often it was."""
    vars(next_step)["why_over"] = lambda *_: ""


def turn() -> None:
    """All conflicts on one file are mended at once."""
    vars(next_step)["first_in_line"] = lambda *_: None


def said_before() -> None:
    """Nobody looks whether an answer is there already."""
    vars(replies)["nodes"] = lambda *_: ()


def hands() -> None:
    """A pull request that a person has is mended on."""
    vars(judged)["whose"] = lambda *_: {}


def end_of_repair() -> None:
    """A repair whose task is over is waited for."""
    followed = Mender.followed

    def waiting(self: Mender, record: PullRecord) -> Followed:
        known = followed(self, record)
        return known if known.at or not record.repair else Followed(record, "it is mended")

    Mender.followed = waiting  # type: ignore[method-assign]
