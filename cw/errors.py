"""Everything `cw` can refuse or fail with. Each family has one exit code."""

from __future__ import annotations


class CwError(Exception):
    """Something went wrong that a person should read in one line.

    `hint` is what to type next; it is printed after the message.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def line(self) -> str:
        return f"{self.message}. {self.hint}".rstrip() if self.hint else self.message


class BadInputError(CwError):
    """What was typed or configured cannot be used; nothing was changed."""

    exit_code = 2


class ClaimedError(CwError):
    """Another task already has this issue."""

    exit_code = 3

    def __init__(self, message: str, *, task_id: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.task_id = task_id


class UnavailableError(CwError):
    """Something outside is away (broker, GitHub); the same call may work later."""

    exit_code = 4


class BrokerUnavailableError(UnavailableError):
    """The broker does not answer."""


class NotStartedError(BrokerUnavailableError):
    """There is no broker yet: none is configured, and none was ever started here."""


class GitHubUnavailableError(UnavailableError):
    """GitHub does not answer, or asks us to wait."""


class GitHubLimitError(GitHubUnavailableError):
    """GitHub asks us to wait: a rate limit."""


class GitHubRefusedError(BadInputError):
    """GitHub answered no: bad token, no such repository, no right to write."""


class GoneError(GitHubRefusedError):
    """GitHub has no such thing under this name, or none any more, or none that the token may see.
    Other refusals say nothing of what is there.
    """


class RightMissingError(GitHubRefusedError):
    """The token is good, and may not do this there."""


class BadTokenError(GitHubRefusedError):
    """GitHub does not accept the token, whatever it is asked with it."""


class NotSentError(UnavailableError):
    """Whoever was to get a notice did not take it now."""


class RefusedNoticeError(NotSentError):
    """Whoever was to get a notice does not take this one, now or later."""


class LostServerError(UnavailableError):
    """A host's fork server was ended from outside, with all it had started."""

    def __init__(self) -> None:
        super().__init__("the host's fork server was ended from outside")


class ForgedError(CwError):
    """A record that was not signed with this installation's key, or was changed since."""


class UnreadableError(CwError):
    """Something at the broker is of another kind than it has to be, and nothing was changed."""


class WorkspaceError(CwError):
    """The clone or branch for a run could not be prepared."""


class UnfitHomeError(WorkspaceError):
    """A worker's HOME, or its machine, keeps runs from starting, whatever the task."""


class TooLargeError(WorkspaceError):
    """What an agent left is too large, or takes git too long, to be judged."""


class IssueChangedError(CwError):
    """The issue does not say any more what was approved."""


class NothingLeftError(CwError):
    """Of what a repair was to mend: it is mended, or its pull request is another one by now."""


class OverBudgetError(CwError):
    """A task's earlier runs have used up what it may cost."""


class StaleFenceError(CwError):
    """This holder's lease was taken over; its result is not recorded."""
