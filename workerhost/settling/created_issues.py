"""Issues an agent created: those its log names that GitHub says are new."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cw.errors import CwError, GitHubUnavailableError
from cw.homes.files import open_regular
from cw.homes.journal import Run
from cw.homes.layout import Home
from cw.models import TaskSpec
from cw.states import Mode
from workerhost.settling.verdict import Evidence

if TYPE_CHECKING:
    from cw.github.client import GitHub

_MOST = 50  # looked up one by one
_PART, _OVERLAP = 1 << 18, 1024  # bytes of the log at once; no link is longer


def created_issues(
    task: TaskSpec, run: Run, github: GitHub | None, evidence: Evidence, home: Home
) -> Evidence:
    """In mode `issue` only. Other agents may use the same account, so its log must name them."""
    if task.issue is not None or task.mode is not Mode.ISSUE or github is None:
        return evidence
    found = []
    for number in _named(home, task.repo):
        try:
            issue = github.issue(task.repo, number)
        except GitHubUnavailableError:
            return replace(evidence, pull_away=True)
        except CwError:
            continue
        # GitHub counts in whole seconds; no agent gets that far in its first one.
        if not issue.is_pull and issue.created_at and issue.created_at >= run.started_at:
            found.append(issue.url)
    return replace(evidence, issues=tuple(found))


def _named(home: Home, repo: str) -> list[int]:
    """Numbers of issues of this repository that the log has a link to, in order."""
    link = re.compile(rb"/%s/issues/([1-9][0-9]{0,9})" % re.escape(repo.encode()), re.IGNORECASE)
    found: list[int] = []
    try:
        with open_regular(home.log) as log:
            text = b""
            while part := log.read(_PART):
                text = text[-_OVERLAP:] + part
                found = sorted({*found, *(int(one) for one in link.findall(text))})[:_MOST]
    except OSError:
        return []
    return found
