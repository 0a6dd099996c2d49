"""What a person is told, and what takes it there."""

from __future__ import annotations

from typing import Protocol

from cw.models import Model, Moment


class Notice(Model):
    """`id` is made of the cause: what is told twice has the same one."""

    id: str
    at: Moment
    task: str
    repository: str
    issue: int | None
    worker: str
    title: str
    # succeeded, failed, crashed, held, stopped; needs you: a pull request; ending: a token's year;
    # paused: see `why`; or test
    what: str
    reason: str  # one of docs/outcomes.md, a cause of docs/pull-requests.md, or of an account
    why: str  # one sentence
    next: str  # the command to type
    link: str  # of the pull request or issue; empty: there is none


class Notifier(Protocol):
    """One receiver. Whatever `send` raises means that it did not get the notice, and it is sent
    again later; a RefusedNoticeError, that it never will be.
    """

    def send(self, notice: Notice) -> None: ...
