"""Guards at how a run goes on and how it ends."""

from __future__ import annotations

from dataclasses import replace

from cw.models import Outcome, Task
from cw.reasons import Reason
from cw.settings import Settings
from cw.states import Move, OutcomeKind
from workerhost.clones import evidence as seen_by_git
from workerhost.clones.evidence import Pushed
from workerhost.clones.quarantine import Quarantine
from workerhost.clones.workspace import GitState, Workspace
from workerhost.runs import attempt, recording
from workerhost.settling import verdict
from workerhost.settling.verdict import Evidence, Verdict


def session() -> None:
    """A run that goes on begins another conversation."""
    attempt._session = lambda known, named, new: new  # noqa: ARG005, SLF001


def no_commits() -> None:
    """What ended well without commits has failed."""

    def strict(evidence: Evidence) -> Verdict:  # noqa: ARG001
        return Verdict(OutcomeKind.FAILED, Reason.NO_CHANGES, "without a single commit")

    verdict._no_commits = strict  # noqa: SLF001


def killed() -> None:
    """The task of an agent that was killed is lost: it waits for a person, for a reason that is not
    its own.
    """
    next_move = recording.next_move

    def losing(
        task: Task | None, outcome: Outcome, settings: Settings, *, signalled: bool = False
    ) -> tuple[Outcome, Move]:
        final, move = next_move(task, outcome, settings, signalled=signalled)
        return final, Move.LOSE if final.reason == Reason.KILLED else move

    recording.next_move = losing


def push() -> None:
    """What the remote of a plain repository has is taken from the clone."""
    real_push, real_ask = seen_by_git.push, seen_by_git.ask_again

    def lazy(box: Quarantine, place: Workspace, state: GitState) -> Pushed:
        return Pushed() if place.url.startswith("/") else real_push(box, place, state)

    def trusting(box: Quarantine, state: GitState) -> GitState:
        there = real_ask(box, state)
        plain = box.place.url.startswith("/") and state.head
        return replace(there, remote_head=state.head) if plain else there

    seen_by_git.push, seen_by_git.ask_again = lazy, trusting
