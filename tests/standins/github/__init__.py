"""A GitHub on the loopback: enough REST, GraphQL and git for PyGithub, gh and git themselves."""

from .faults import Fault
from .snapshots import CommentSnapshot, EventSnapshot, IssueSnapshot, PullSnapshot
from .standin import GitHubStandIn
from .traffic import LoggedRequest

__all__ = [
    "CommentSnapshot",
    "EventSnapshot",
    "Fault",
    "GitHubStandIn",
    "IssueSnapshot",
    "LoggedRequest",
    "PullSnapshot",
]
