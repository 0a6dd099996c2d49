"""The states of a pull request of ours and what may follow what. Nothing else decides a state."""

from __future__ import annotations

from enum import StrEnum


class PullState(StrEnum):
    WATCHING = "watching"  # nobody has looked yet, or a task of ours works on it
    CHECKING = "checking"  # its checks run, or it moved just now
    REPAIRING = "repairing"  # a run mends it, or waits for its worker
    REVIEWING = "reviewing"  # another worker reads it, or is to
    NEEDS_YOU = "needs you"  # only a person moves it
    HANDS_OFF = "hands off"  # a person has it
    READY = "ready"  # nothing is left but a person's look
    MERGED = "merged"
    CLOSED = "closed"


class PullMove(StrEnum):
    """What can happen to it. Each is one script of the store."""

    BEGIN = "begin"  # a task's end proved it
    WATCH = "watch"
    CHECK = "check"
    REPAIR = "repair"  # a run is ordered that mends it, or still there
    READ = "read"  # a reading is ordered, or still there
    NEED = "need"
    LEAVE = "leave"  # a person took it
    READY = "ready"
    RESUME = "resume"  # a person gave it back, or wants more tries
    MERGE = "merge"
    CLOSE = "close"
    CLEAR = "clear"  # what it leaves at its worker's host was seen to


ENDED = frozenset({PullState.MERGED, PullState.CLOSED})
OPEN = frozenset(PullState) - ENDED

TRANSITIONS: dict[PullMove, tuple[frozenset[PullState], PullState]] = {
    # One that is known, even one that was closed, begins again with a later task.
    PullMove.BEGIN: (frozenset(PullState), PullState.WATCHING),
    PullMove.WATCH: (OPEN, PullState.WATCHING),
    PullMove.CHECK: (OPEN, PullState.CHECKING),
    PullMove.REPAIR: (OPEN - {PullState.HANDS_OFF}, PullState.REPAIRING),
    PullMove.READ: (OPEN - {PullState.HANDS_OFF}, PullState.REVIEWING),
    PullMove.NEED: (OPEN, PullState.NEEDS_YOU),
    PullMove.LEAVE: (OPEN, PullState.HANDS_OFF),
    PullMove.READY: (OPEN, PullState.READY),
    PullMove.RESUME: (frozenset({PullState.HANDS_OFF, PullState.NEEDS_YOU}), PullState.WATCHING),
    PullMove.MERGE: (OPEN, PullState.MERGED),
    PullMove.CLOSE: (OPEN, PullState.CLOSED),
    PullMove.CLEAR: (frozenset({PullState.MERGED}), PullState.MERGED),
}


def sources(move: PullMove) -> str:
    """The states a move may start from, as the scripts take them: `,ready,watching,`."""
    return "," + ",".join(sorted(TRANSITIONS[move][0])) + ","


def target(move: PullMove) -> PullState:
    return TRANSITIONS[move][1]


def move_to(state: PullState) -> PullMove:
    """That a look at it makes."""
    return _LOOKS[state]


_LOOKS = {
    PullState.WATCHING: PullMove.WATCH,
    PullState.CHECKING: PullMove.CHECK,
    PullState.REPAIRING: PullMove.REPAIR,
    PullState.REVIEWING: PullMove.READ,
    PullState.NEEDS_YOU: PullMove.NEED,
    PullState.HANDS_OFF: PullMove.LEAVE,
    PullState.READY: PullMove.READY,
    PullState.MERGED: PullMove.MERGE,
    PullState.CLOSED: PullMove.CLOSE,
}
