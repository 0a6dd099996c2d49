"""What a task's issue says when a run of it starts: may it be worked on, and whose words count.

Asked anew at every start: text, labels and rights may all have changed since the dispatch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from cw.errors import BadInputError, IssueChangedError
from cw.forges.client import Issues
from cw.forges.issues import Comment
from cw.forges.reading import PageCache, Reader
from cw.forges.trusted_authors import heard, objection
from cw.models import TaskSpec


@dataclass(frozen=True, slots=True)
class Heard:
    """What may steer the agent, as it was written; hidden text is still in it."""

    title: str
    body: str
    comments: tuple[Comment, ...] = ()  # oldest first
    left_out: int = 0  # comments that are not given: of others, or too old


def hear(github: Issues, pages: PageCache, spec: TaskSpec, go_label: str) -> Heard:
    """Raises IssueChangedError when nobody stands for the text as it is now, BadInputError when the
    issue is closed or gone, GitHubUnavailableError.
    """
    thread = github.thread(spec.repo, spec.issue or 0)
    if not thread.open:
        raise BadInputError(f"{spec.label} was closed before work on it began")
    writes = writers(github.reader(pages), spec.repo)
    against = objection(spec, thread, go_label, writes)
    if against:
        raise IssueChangedError(f"not started: {against}")
    comments = heard(thread, writes)
    left_out = thread.older_comments + len(thread.comments) - len(comments)
    return Heard(thread.title, thread.body, comments, left_out)


def writers(reader: Reader, repo: str) -> Callable[[str], bool]:
    return cache(lambda login: reader.may_write(repo, login))
