"""What a task's issue says when a run of it starts: may it be worked on, and whose words count.

Asked anew at every start: text, labels and rights may all have changed since the dispatch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cw.errors import BadInputError, IssueChangedError
from cw.github.listing import ListReader, PageCache
from cw.github.places import may_write
from cw.github.thread import Comment, read_thread
from cw.github.trusted_authors import heard, objection
from cw.models import TaskSpec

if TYPE_CHECKING:
    from cw.github.client import GitHub


@dataclass(frozen=True, slots=True)
class Heard:
    """What may steer the agent, as it was written; hidden text is still in it."""

    title: str
    body: str
    comments: tuple[Comment, ...] = ()  # oldest first
    left_out: int = 0  # comments that are not given: of others, or too old


def hear(github: GitHub, pages: PageCache, spec: TaskSpec, go_label: str) -> Heard:
    """Raises IssueChangedError when nobody stands for the text as it is now, BadInputError when the
    issue is closed or gone, GitHubUnavailableError.
    """
    thread = read_thread(github, spec.repo, spec.issue or 0)
    if not thread.open:
        raise BadInputError(f"{spec.label} was closed before work on it began")
    writes = _writers(ListReader(github, pages), spec.repo)
    against = objection(spec, thread, go_label, writes)
    if against:
        raise IssueChangedError(f"not started: {against}")
    comments = heard(thread, writes)
    left_out = thread.older_comments + len(thread.comments) - len(comments)
    return Heard(thread.title, thread.body, comments, left_out)


def _writers(reader: ListReader, repo: str) -> Callable[[str], bool]:
    return cache(lambda login: may_write(reader, repo, login))
