"""What a list of issues does not say, asked where it matters: who set a worker's label or took it
off, and what became of a pull request.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from cw.errors import GitHubRefusedError
from cw.forges.issues import LabelEvent
from cw.forges.reading import Reader
from cw.names import worker_of_label
from cw.operations.reconciliation.agreement import IssueState, SetBy, needs_events, needs_pull


class Unlisted:
    """Every method raises GitHubRefusedError, GitHubUnavailableError."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._me: str | None = None

    def complete(
        self, repo: str, number: int, seen: IssueState, pulls: Collection[int]
    ) -> IssueState:
        """`pulls`: the numbers of those that are open."""
        if needs_pull(seen) and seen.finished:
            digits = seen.finished.pull.rpartition("/")[2]
            if digits.isdigit():
                pull = int(digits)
                state = "open" if pull in pulls else self._reader.pull_state(repo, pull)
                seen = replace(seen, pull=state)
        if needs_events(seen):
            set_by, taken_off = self._events(repo, number, seen)
            seen = replace(seen, set_by=set_by, taken_off=taken_off)
        return seen

    def _events(
        self, repo: str, number: int, seen: IssueState
    ) -> tuple[dict[str, SetBy], frozenset[str]]:
        """The last word on each worker's label."""
        last: dict[str, LabelEvent] = {}
        for event in self._reader.label_events(repo, number):
            if worker := worker_of_label(event.label):
                last.pop(worker, None)
                last[worker] = event
        me = self._login() if seen.marked else ""
        set_by = {
            worker: SetBy(event.actor.lower() == me, event.at)
            for worker, event in last.items()
            if worker in seen.marked and event.kind == "labeled"
        }
        # Before a repair's run began, its label was taken off by the end of the task before.
        since = seen.task.started_at if seen.task and seen.task.spec.repair else None
        return set_by, frozenset(
            worker
            for worker, event in last.items()
            if event.kind == "unlabeled" and (since is None or event.at >= since)
        )

    def _login(self) -> str:
        if self._me is None:
            try:
                self._me = self._reader.own_login().lower()
            except GitHubRefusedError:  # an App has no user
                self._me = ""
        return self._me
