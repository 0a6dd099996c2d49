"""The states of a task and what may follow what. Nothing else decides a state."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"  # waits for its worker, or in the pool
    RUNNING = "running"  # a host holds its lease
    HELD = "held"  # not before a time: usage limit, GitHub away
    STOPPED = "stopped"  # a person stopped it
    CRASHED = "crashed"  # its run was lost and not repeated by itself
    DONE = "done"  # has its outcome


class OutcomeKind(StrEnum):
    SUCCEEDED = "succeeded"  # proven by git and GitHub
    DEFERRED = "deferred"  # not now: will be tried again, or may be
    FAILED = "failed"
    STOPPED = "stopped"


class Mode(StrEnum):
    """What an agent without an issue must have done to have succeeded."""

    FREE = "free"  # ended well; its commits, if any, are pushed
    READ = "read"  # given a report
    UPDATE = "update"  # pushed commits
    ISSUE = "issue"  # created issues


class Move(StrEnum):
    """What can happen to a task. Each is one script of the store."""

    ACQUIRE = "acquire"  # a host takes the lease and starts a run
    ADOPT = "adopt"  # a host takes the lease again for its own live run
    RESTORE = "restore"  # a host records its live run again in a broker that forgot it
    REBUILD = "rebuild"  # a host records a finished task again, likewise
    FINISH = "finish"  # the run is over for good
    HOLD = "hold"  # the run is over; go on later
    RELEASE = "release"  # the hold is over
    EXPIRE = "expire"  # the lease ended without a word
    LOSE = "lose"  # the same, once too often
    INTERRUPT = "interrupt"  # the run ended with its host, at nobody's wish; nothing is charged
    STOP = "stop"  # its run was stopped; it waits for a person
    PARK = "park"  # a person stops it before it runs
    REROUTE = "reroute"  # its worker's host is lost; anybody may take it
    RESTART = "restart"  # a person lets it go on
    REOPEN = "reopen"  # the same, of one that had failed
    WITHDRAW = "withdraw"  # dispatch takes back what it could not complete
    CLOSE = "close"  # its issue needs nobody any more


TRANSITIONS: dict[Move, tuple[frozenset[State], State | None]] = {
    Move.ACQUIRE: (frozenset({State.QUEUED}), State.RUNNING),
    # A run that expired while its host was away is still that host's, if nobody took it since.
    Move.ADOPT: (frozenset({State.RUNNING, State.QUEUED, State.CRASHED}), State.RUNNING),
    Move.RESTORE: (frozenset(), State.RUNNING),
    Move.REBUILD: (frozenset(), State.DONE),
    Move.FINISH: (frozenset({State.RUNNING}), State.DONE),
    Move.HOLD: (frozenset({State.RUNNING}), State.HELD),
    Move.RELEASE: (frozenset({State.HELD}), State.QUEUED),
    Move.EXPIRE: (frozenset({State.RUNNING}), State.QUEUED),
    Move.LOSE: (frozenset({State.RUNNING}), State.CRASHED),
    Move.INTERRUPT: (frozenset({State.RUNNING}), State.QUEUED),
    Move.STOP: (frozenset({State.RUNNING}), State.STOPPED),
    Move.PARK: (frozenset({State.QUEUED, State.HELD}), State.STOPPED),
    Move.REROUTE: (frozenset({State.QUEUED}), State.QUEUED),
    Move.RESTART: (frozenset({State.STOPPED, State.CRASHED, State.HELD}), State.QUEUED),
    Move.REOPEN: (frozenset({State.DONE}), State.QUEUED),
    Move.WITHDRAW: (frozenset({State.QUEUED}), None),
    Move.CLOSE: (
        frozenset({State.QUEUED, State.HELD, State.STOPPED, State.CRASHED}),
        State.DONE,
    ),
}

OPEN = frozenset(State) - {State.DONE}


def sources(move: Move) -> str:
    """The states a move may start from, as the scripts take them: `,running,queued,`."""
    return "," + ",".join(sorted(TRANSITIONS[move][0])) + ","


def target(move: Move) -> str:
    """The state a move leads to; empty when the record is deleted."""
    state = TRANSITIONS[move][1]
    return state.value if state else ""
