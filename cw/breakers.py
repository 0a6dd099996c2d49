"""Circuit breakers: when several tasks running fail alike, what they have in common is paused, and
all the rest goes on. Pure.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cw.models import Model, Moment, Outcome
from cw.reasons import Blame, rule_of
from cw.states import Move, OutcomeKind

_SAID = 200  # characters of what the last one said

Failures = tuple["Failure", ...]


class Culprit(StrEnum):
    """What is paused."""

    REPOSITORY = "repository"
    WORKER = "worker"
    ACCOUNT = "account"
    PAIR = "repository on this worker"  # nothing tells which of both it is


class Failure(Model):
    """A task that failed, and where. `repository`: what its claims go by."""

    task: str
    repository: str
    worker: str
    account: str = ""  # empty: its journal does not say


@dataclass(frozen=True, kw_only=True, slots=True)
class Streaks:
    """Failures for one reason with nothing else between: of a repository, a worker, an account."""

    repository: Failures = ()
    worker: Failures = ()
    account: Failures = ()


class RepositoryHold(Model):
    """A repository of which nothing is started until somebody acts."""

    place: str  # what its claims go by
    name: str  # as it is typed
    worker: str = ""  # on which; empty: on all
    reason: str
    why: str
    since: Moment
    by: str = ""  # the last of the tasks that failed

    def holds(self, place: str, worker: str) -> bool:
        return self.place == place and self.worker in {"", worker}

    @property
    def next(self) -> str:
        return f"cw resume {shlex.quote(self.name)}"

    @property
    def words(self) -> str:
        on = f" on worker {self.worker}" if self.worker else ""
        return f"{self.name} is held{on}: {self.why}; {self.next}"


def counts(outcome: Outcome, move: Move) -> bool | None:
    """Whether the end of a run is a failure that counts (True), ends each streak (False), or says
    nothing of anybody but its task (None), as what goes on and what a person did.
    """
    if outcome.kind is OutcomeKind.SUCCEEDED:
        return False
    ended = outcome.kind is OutcomeKind.FAILED and move in {Move.FINISH, Move.LOSE}
    return True if ended and rule_of(outcome.reason).blame is not Blame.TASK else None


def culprit(streaks: Streaks, most: int, blame: Blame) -> Culprit | None:
    """What to pause after this failure, if anything: of what has failed `most` times running, what
    has failed in more than one company, or whose company does well without it. What explains more
    comes first; what is never seen apart is paused together, which keeps the least from working.
    """
    repository, worker = len(streaks.repository) >= most, len(streaks.worker) >= most
    account = len(streaks.account) >= most and blame is Blame.ALL
    if account and _workers(streaks.account) and (_places(streaks.account) or not repository):
        return Culprit.ACCOUNT
    if worker and (_places(streaks.worker) or not repository):
        return Culprit.WORKER
    if repository and (_workers(streaks.repository) or not worker):
        return Culprit.REPOSITORY
    return Culprit.PAIR if repository and worker else None


def why(outcome: Outcome, most: int, *, there: str = "") -> str:
    """One sentence. `there`: of the tasks that one worker had of the repository."""
    what = f"its last {most} tasks" if most > 1 else "its last task"
    message = " ".join(outcome.message.split())
    said = message if len(message) <= _SAID else f"{message[: _SAID - 1]}…"
    alike = " for the same reason" if most > 1 else ""
    return f"{what}{there} failed{alike} ({outcome.reason}): {said}"


def why_held(holds: Iterable[RepositoryHold], place: str, worker: str) -> str:
    """Why nothing of a repository starts on this worker, or without one: on any; else empty."""
    return next((hold.words for hold in holds if hold.holds(place, worker)), "")


def _workers(streak: Failures) -> bool:
    """Whether they are of more than one."""
    return len({one.worker for one in streak}) > 1


def _places(streak: Failures) -> bool:
    return len({one.repository for one in streak}) > 1
