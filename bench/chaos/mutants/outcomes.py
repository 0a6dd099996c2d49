"""Guards at how a run goes on and how it ends."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from cw.models import Outcome, Task, TaskSpec
from cw.reasons import Reason
from cw.settings import Settings
from cw.states import Move, OutcomeKind
from workerhost.clones import evidence as seen_by_git
from workerhost.clones.evidence import Pushed
from workerhost.clones.git import Git
from workerhost.clones.quarantine import Quarantine
from workerhost.clones.workspace import GitState, Workspace
from workerhost.runs import attempt, ends_with_proof, recording
from workerhost.runs.sessions import Session
from workerhost.settling import kept_work, pushed_commits, settle, verdict
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.verdict import FINISHED, Evidence, Verdict


def session() -> None:
    """A run that goes on begins another conversation."""
    vars(attempt)["chosen"] = lambda home, task, named, new: Session(new)  # noqa: ARG005


def no_commits() -> None:
    """What ended well without commits has failed."""

    def strict(evidence: Evidence) -> Verdict:  # noqa: ARG001
        return Verdict(OutcomeKind.FAILED, Reason.NO_CHANGES, "without a single commit")

    verdict._no_commits = strict  # noqa: SLF001


def belief() -> None:
    """Who ended well has done what was wanted."""
    verdict._no_commits = lambda evidence: verdict._good("it says so")  # noqa: ARG005, SLF001


def own_work() -> None:
    """All that is on the branch counts, whoever has made it."""
    seen_by_git._not_its_own = lambda box, start: [box.place.base_sha]  # noqa: ARG005, SLF001


def keeping() -> None:
    """What an agent had committed before its bad end stays where it is."""
    settled, push = settle._settled, pushed_commits.push_commits  # noqa: SLF001
    end = threading.local()

    def noted(ended: EndedRun, box: Quarantine) -> Outcome:
        end.bad = ended.process != FINISHED
        return settled(ended, box)

    def idle(task: TaskSpec, box: Quarantine, state: GitState, *rest: Any, **more: Any) -> Any:
        return (None, state) if end.bad else push(task, box, state, *rest, **more)

    settle._settled = noted  # noqa: SLF001
    vars(settle)["push_commits"] = idle
    kept_work._keep_commits = lambda *_: ""  # noqa: SLF001


def step() -> None:
    """A step that the remote does not take now is put off, and done by another run."""
    vars(ends_with_proof)["UNPROVEN"] = frozenset()


def lost_command() -> None:
    """A command that was lost with the fork server is taken for git's answer."""
    Git.lost = property(lambda _: False)  # type: ignore[assignment,method-assign]


def killed_once() -> None:
    """A killed agent's task has failed at once."""
    next_move = recording.next_move

    def strict(task: Task | None, outcome: Outcome, settings: Settings, **_: bool) -> Any:
        return next_move(task, outcome, settings, signalled=False)

    recording.next_move = strict


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
