"""Why a task is where it is, as data: what each reason of an outcome makes of the issue, of the
worker and of the task. Nothing else decides by a reason's name; docs/outcomes.md is made from it.

Claude's own words (`error_max_turns` and whatever comes after it) are reasons as well, and follow
the rule of `agent_error`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from cw.states import OutcomeKind

_FAILED, _DEFERRED, _STOPPED = OutcomeKind.FAILED, OutcomeKind.DEFERRED, OutcomeKind.STOPPED


class Reason(StrEnum):
    DONE = "done"
    # What git and GitHub show.
    NO_CHANGES = "no_changes"
    OTHER_BRANCH = "other_branch"
    UNCOMMITTED = "uncommitted"
    NOT_PUSHED = "not_pushed"
    NO_PULL_REQUEST = "no_pull_request"
    PULL_REQUEST_BEHIND = "pull_request_behind"
    WRONG_BASE = "wrong_base"
    NO_REPORT = "no_report"
    NO_ISSUES = "no_issues"
    # What a run must not do, and what cannot be judged.
    SECRET_COMMITTED = "secret_committed"  # noqa: S105  a word, no password
    SECRET_PUSHED = "secret_pushed"  # noqa: S105
    NOT_SEARCHED = "not_searched"
    TOO_LARGE = "too_large"
    NOT_JUDGED = "not_judged"
    FORBIDDEN_PUSH = "forbidden_push"
    OVERWRITTEN = "overwritten"
    TESTS_CHANGED = "tests_changed"
    # What the agent or its API said.
    BLOCKED = "blocked"
    AGENT_ERROR = "agent_error"
    KILLED = "killed"
    NOTHING_SENT = "nothing_sent"
    AUTHENTICATION_FAILED = "authentication_failed"
    BILLING_ERROR = "billing_error"
    MODEL_NOT_FOUND = "model_not_found"
    INVALID_REQUEST = "invalid_request"
    API_ERROR = "api_error"
    USAGE_LIMIT = "usage_limit"
    API_UNAVAILABLE = "api_unavailable"
    # The limits of a run.
    TIME_LIMIT = "time_limit"
    STALLED = "stalled"
    MEMORY = "memory"
    LOG_SIZE = "log_size"
    LOOPING = "looping"
    DISK_FULL = "disk_full"
    # What kept it from starting, or from being proven.
    BUDGET = "budget"
    SHARED_BUDGET = "shared_budget"
    NOT_STARTED = "not_started"
    HOME_UNFIT = "home_unfit"
    ISSUE_CHANGED = "issue_changed"
    NOTHING_LEFT = "nothing_left"
    GITHUB_UNAVAILABLE = "github_unavailable"
    REMOTE_UNAVAILABLE = "remote_unavailable"
    BROKER_UNAVAILABLE = "broker_unavailable"
    CLONE_BUSY = "clone_busy"
    # What became of its host, its processes or its lease.
    HOST_DIED = "host_died"
    HOST_KILLED = "host_killed"
    HOST_ERROR = "host_error"
    LOST = "lost"
    INTERRUPTED = "interrupted"
    LEASE_LOST = "lease_lost"
    # What people did, here or on GitHub.
    STOPPED = "stopped"
    RESET = "reset"
    CANCELLED = "cancelled"
    ISSUE_CLOSED = "issue_closed"
    ISSUE_BLOCKED = "issue_blocked"
    LABEL_REMOVED = "label_removed"
    REPAIR_OVER = "repair_over"  # its pull request is over, or a person's


class Label(StrEnum):
    """What happens to the worker's label on the issue."""

    STAYS = "stays"
    OFF = "taken off"
    BLOCKED = "stays, and `blocked` is set"


class Charge(StrEnum):
    """What counts against the task: so many losses and deferrals it may have."""

    NOTHING = "nothing"
    DEFERRAL = "a deferral"
    ACCOUNT = "nothing: its account is held, and it waits for that"
    LOSS = "a loss: run again at once, and `crashed` after too many"
    GIVEN_UP = "everything: `crashed` at once"


class Blame(StrEnum):
    """What may be the cause of a failure beside its task, and is paused when others fail alike."""

    TASK = "nothing"
    PLACE = "repository, worker"
    ALL = "repository, worker, account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`person`: nothing goes on before somebody acts. `next`: what is typed then, of the task `ID`
    and the worker `NN`. `quiet`: nobody is told on GitHub. `unread`: the run's log stays unread, as
    it may be what hosts die of.
    """

    kind: OutcomeKind
    label: Label = Label.STAYS
    charge: Charge = Charge.NOTHING
    person: bool = True
    next: str = "cw logs ID"
    quiet: bool = False
    unread: bool = False
    blame: Blame = Blame.TASK


_AGAIN = "cw restart ID"
_LATER = Rule(kind=_DEFERRED, charge=Charge.DEFERRAL, person=False, next="")
_LOOK = Rule(kind=_FAILED, next="cw show ID", blame=Blame.PLACE)
_READ = Rule(kind=_FAILED, blame=Blame.PLACE)
_CLOSED = Rule(kind=_STOPPED, label=Label.OFF, person=False, next="", quiet=True)
_CREDENTIALS = Rule(kind=_DEFERRED, charge=Charge.ACCOUNT, next="cw resume NN")
_LIMITED = Rule(kind=_DEFERRED, charge=Charge.ACCOUNT, person=False, next="")

RULES: dict[Reason, Rule] = {
    Reason.DONE: Rule(kind=OutcomeKind.SUCCEEDED, label=Label.OFF, person=False, next=""),
    **dict.fromkeys((Reason.NO_CHANGES, Reason.NO_REPORT, Reason.NO_ISSUES), _READ),
    **dict.fromkeys(
        (
            Reason.OTHER_BRANCH,
            Reason.UNCOMMITTED,
            Reason.NOT_PUSHED,
            Reason.NO_PULL_REQUEST,
            Reason.PULL_REQUEST_BEHIND,
            Reason.WRONG_BASE,
            Reason.SECRET_COMMITTED,
            Reason.SECRET_PUSHED,
            Reason.NOT_SEARCHED,
            Reason.TOO_LARGE,
            Reason.NOT_JUDGED,
            Reason.FORBIDDEN_PUSH,
            Reason.OVERWRITTEN,
        ),
        _LOOK,
    ),
    Reason.TESTS_CHANGED: Rule(kind=_FAILED, next="cw show ID"),
    Reason.BLOCKED: Rule(kind=_FAILED, label=Label.BLOCKED, next="cw dispatch -i ISSUE"),
    **dict.fromkeys((Reason.AGENT_ERROR, Reason.NOTHING_SENT), replace(_READ, blame=Blame.ALL)),
    Reason.KILLED: Rule(kind=_FAILED, charge=Charge.LOSS, next=_AGAIN, blame=Blame.PLACE),
    Reason.AUTHENTICATION_FAILED: _CREDENTIALS,
    Reason.BILLING_ERROR: _CREDENTIALS,
    **dict.fromkeys(
        (Reason.MODEL_NOT_FOUND, Reason.INVALID_REQUEST, Reason.API_ERROR),
        replace(_LOOK, blame=Blame.ALL),
    ),
    Reason.USAGE_LIMIT: _LIMITED,
    Reason.API_UNAVAILABLE: _LIMITED,
    **dict.fromkeys((Reason.TIME_LIMIT, Reason.MEMORY, Reason.LOG_SIZE), _READ),
    Reason.STALLED: replace(_READ, blame=Blame.ALL),  # so it looks when an API answers nobody
    Reason.DISK_FULL: _LATER,
    Reason.LOOPING: Rule(kind=_FAILED, next=_AGAIN, blame=Blame.PLACE),
    Reason.BUDGET: Rule(kind=_FAILED, next="cw restart ID --max-usd DOLLARS"),
    # Back into the line: what begins there asks the ceiling, and says what it waits for.
    Reason.SHARED_BUDGET: Rule(kind=_DEFERRED, person=False, next="", quiet=True),
    Reason.NOT_STARTED: _LOOK,
    Reason.HOME_UNFIT: Rule(kind=_DEFERRED, person=False, next="cw resume NN", quiet=True),
    Reason.ISSUE_CHANGED: Rule(kind=_FAILED, label=Label.OFF, next="cw dispatch -i ISSUE"),
    Reason.NOTHING_LEFT: Rule(kind=_FAILED, person=False, next="", label=Label.OFF),
    **dict.fromkeys(
        (
            Reason.GITHUB_UNAVAILABLE,
            Reason.REMOTE_UNAVAILABLE,
            Reason.BROKER_UNAVAILABLE,
            Reason.CLONE_BUSY,
        ),
        _LATER,
    ),
    Reason.HOST_DIED: Rule(
        kind=_DEFERRED, charge=Charge.DEFERRAL, person=False, next="", quiet=True
    ),
    **dict.fromkeys(
        (Reason.HOST_KILLED, Reason.HOST_ERROR),
        Rule(
            kind=_FAILED,
            label=Label.BLOCKED,
            charge=Charge.GIVEN_UP,
            next=_AGAIN,
            unread=True,
            blame=Blame.PLACE,
        ),
    ),
    Reason.LOST: Rule(
        kind=_FAILED, label=Label.BLOCKED, charge=Charge.LOSS, next=_AGAIN, blame=Blame.PLACE
    ),
    Reason.INTERRUPTED: Rule(kind=_DEFERRED, person=False, next="", quiet=True),
    Reason.LEASE_LOST: Rule(kind=_STOPPED, person=False, next="", quiet=True),
    Reason.STOPPED: Rule(kind=_STOPPED, next=_AGAIN),
    Reason.RESET: _CLOSED,
    Reason.CANCELLED: _CLOSED,
    Reason.ISSUE_CLOSED: _CLOSED,
    Reason.ISSUE_BLOCKED: _CLOSED,
    Reason.LABEL_REMOVED: _CLOSED,
    Reason.REPAIR_OVER: _CLOSED,
}


_WORDS = frozenset(reason.value for reason in Reason)


def rule_of(reason: str) -> Rule:
    """Also of words that claude or a version of before had."""
    return RULES[Reason(reason)] if reason in _WORDS else RULES[Reason.AGENT_ERROR]
