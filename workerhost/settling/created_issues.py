"""Issues an agent created: those its log names that GitHub says are new, and its account's."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cw.credentials.agentenv import own_token
from cw.errors import CwError, GitHubUnavailableError
from cw.homes.files import open_regular
from cw.homes.layout import Home
from cw.states import Mode
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.verdict import Evidence

if TYPE_CHECKING:
    from cw.forges.client import Settling

_MOST = 50  # looked up one by one
_PART, _OVERLAP = 1 << 18, 1024  # bytes of the log at once; no link is longer


def created_issues(ended: EndedRun, evidence: Evidence, home: Home) -> Evidence:
    """In mode `issue` only. Other agents may use the same account, so its log must name them; and
    it may name what others create meanwhile, so the agent's account must have created them.
    """
    task, github = ended.task, ended.github
    if task.issue is not None or task.mode is not Mode.ISSUE or github is None:
        return evidence
    try:
        found = _agents(github, home).written(task.repo, _named(home, task.repo), ended.since)
    except GitHubUnavailableError:
        return replace(evidence, pull_away=True)
    except CwError:  # GitHub does not say: none
        return evidence
    return replace(evidence, issues=found)


def _agents(github: Settling, home: Home) -> Settling:
    """As whom the agent writes: a worker's own token goes before the host's, an App before both."""
    own = own_token(home)
    return github.beside(own) if own and not github.is_app else github


def _named(home: Home, repo: str) -> list[int]:
    """Numbers of issues of this repository that the log has a link to, in order."""
    link = re.compile(rb"/%s/issues/([1-9][0-9]{0,9})" % re.escape(repo.encode()), re.IGNORECASE)
    found: list[int] = []
    try:
        with open_regular(home.log) as log:
            text = b""
            while part := log.read(_PART):
                text = text[-_OVERLAP:] + part
                found = sorted({*found, *(int(number) for number in link.findall(text))})[:_MOST]
    except OSError:
        return []
    return found
