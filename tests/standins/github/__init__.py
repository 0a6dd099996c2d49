"""A GitHub on the loopback: enough REST, GraphQL and git for PyGithub, gh and git themselves."""

from .ci import Job, Pushed
from .faults import Fault
from .model import Annotation
from .snapshots import CommentSnapshot, EventSnapshot, IssueSnapshot, PullSnapshot
from .standin import GitHubStandIn
from .traffic import LoggedRequest

__all__ = [
    "Annotation",
    "CommentSnapshot",
    "EventSnapshot",
    "Fault",
    "GitHubStandIn",
    "IssueSnapshot",
    "Job",
    "LoggedRequest",
    "PullSnapshot",
    "Pushed",
]
