"""What a person does with a pull request that they have read: in their name, and only while its
head is the one that they were shown.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cw.errors import (
    BadInputError,
    BrokerUnavailableError,
    CwError,
    GitHubRefusedError,
    GitHubUnavailableError,
)
from cw.forges.reviewing import Opinion, OwnPullError
from cw.forges.watched import PullName
from cw.operations.pulls.merge_plan import row_of
from cw.operations.views.reviews import Act, ReviewRow, review_row
from cw.pulls.merging import same_head
from cw.pulls.states import move_to

if TYPE_CHECKING:
    from cw.forges.client import Client
    from cw.operations.pulls.merge import Merger
    from cw.operations.pulls.review_plan import Entry
    from cw.pulls.record import PullRecord

MOVED = "its head is another one than was shown"
_OWN = "GitHub lets nobody approve their own pull request, and this token's account opened it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """`hand`: in whose name something is done. Its methods raise BrokerUnavailableError; what else
    goes wrong is in the row.
    """

    merger: Merger
    hand: Client

    def merge(self, entry: Entry) -> ReviewRow:
        """By the rules of `cw merge`."""
        record, row = entry.record, review_row(entry.record, Act.MERGE)
        planned = row_of(record, {record.repo: entry.method})
        (done,) = self.merger.merge([planned])
        row = row.model_copy(update={"how": done.method, "commit": done.commit})
        return row if done.result == "merged" else row.left(done.why)

    def approve(self, entry: Entry) -> ReviewRow:
        def approve(record: PullRecord) -> None:
            try:
                self._review(record, Opinion.APPROVE, "")
            except OwnPullError:
                raise BadInputError(_OWN, hint="Merge it without") from None

        return self._act(entry, Act.APPROVE, approve)

    def ask_for_changes(self, entry: Entry, text: str) -> ReviewRow:
        """Raises OwnPullError: `ask_in_thread` is left."""
        row = self._act(
            entry, Act.CHANGES, lambda record: self._review(record, Opinion.CHANGES, text)
        )
        return row.model_copy(update={"how": "review"}) if row.done else row

    def ask_in_thread(self, entry: Entry, text: str) -> ReviewRow:
        """It counts as a request for changes until somebody resolves it."""

        def start(record: PullRecord) -> None:
            self._need_person()
            self.hand.start_thread(record.repo, record.number, head=record.head, body=text)

        row = self._act(entry, Act.CHANGES, start)
        return row.model_copy(update={"how": "thread"}) if row.done else row

    def close(self, entry: Entry) -> ReviewRow:
        return self._act(
            entry, Act.CLOSE, lambda record: self.hand.close(record.repo, record.number)
        )

    def _review(self, record: PullRecord, opinion: Opinion, text: str) -> None:
        self._need_person()
        self.hand.review(record.repo, record.number, head=record.head, opinion=opinion, body=text)

    def _need_person(self) -> None:
        if self.hand.is_app:
            raise BadInputError(
                "nobody goes by what a GitHub App thinks of a pull request",
                hint="Your own token is wanted: export GH_TOKEN=$(gh auth token)",
            )

    def _act(self, entry: Entry, act: Act, do: Callable[[PullRecord], None]) -> ReviewRow:
        """GitHub takes a review of any head: so that is looked at before."""
        row, key = review_row(entry.record, act), entry.record.key
        try:
            record = self.merger.look([key])[key]
            if isinstance(record, str):
                return row.left(record)
            if not record.open:
                return row.left(f"it is {record.state.value} already")
            if not same_head(entry.record, record):
                return row.left(MOVED)
            do(record)
        except (BrokerUnavailableError, OwnPullError):
            raise
        except CwError as error:
            return row.left(error.line())
        self._look_again(record)
        return row

    def _look_again(self, record: PullRecord) -> None:
        """So that lists say it at once. What was done here is nothing that has to settle first: so
        its mark is known before.
        """
        ways, name = self.merger.ways, PullName(record.repo, record.number)
        with suppress(GitHubUnavailableError, GitHubRefusedError):
            glance = ways.github.watch(ways.store.github).glances([name]).get(name)
            if glance and glance.open and glance.head == record.head:
                known = record.model_copy(update={"mark": glance.mark})
                ways.store.pulls.move(known, move_to(record.state), ways.store.tasks.now())
            self.merger.look([record.key])
