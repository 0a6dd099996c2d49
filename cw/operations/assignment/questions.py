"""What the list does not say about an issue, asked within a budget of requests a pass."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cw.errors import GitHubRefusedError, GoneError
from cw.forges.issues import Listed
from cw.forges.trusted_authors import Approval, associated, is_bot, labelled_by
from cw.names import has_label
from cw.operations.passes.rights import Rights

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from cw.forges.reading import Reader
    from cw.store.github_cache import GitHubCache

BUDGET = 10  # requests a pass, beyond the lists
_VOUCH_LIFE = timedelta(days=7)
_SAME_SECOND = timedelta(seconds=2)  # GitHub's times cannot tell two changes within one


class Questions:
    """Every answer is shared by the fleet; None is no answer yet. Raises GitHubUnavailableError."""

    def __init__(self, reader: Reader, facts: GitHubCache, go_label: str, now: datetime) -> None:
        self._now = now
        self._reader = reader
        self._facts = facts
        self._rights = Rights(reader, facts)
        self._go_label = go_label
        self._spare = BUDGET
        self._open: set[tuple[str, int]] = set()
        self._listed: set[str] = set()
        self._approvals: dict[tuple[str, int], Approval] = {}

    def listed(self, repos: Collection[str], issues: Collection[Listed]) -> None:
        """These lists were read: what is not in them is closed."""
        self._listed = {repo.lower() for repo in repos}
        self._open = {(issue.repo.lower(), issue.number) for issue in issues}

    def blockers(self, issue: Listed, *, ask: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the text names and is open, and what nobody has looked at yet."""
        states = {
            name: self._is_open(name, ask=ask) for name in issue.needs if name != _name(issue)
        }
        is_open = tuple(name for name, state in states.items() if state)
        return is_open, tuple(name for name, state in states.items() if state is None)

    def trusted(self, issue: Listed, *, ask: bool) -> bool | None:
        """Because its author may write to the repository, or for the go label of one who may."""
        may: bool | None = False
        if associated(issue.association) and not is_bot(issue.author):
            may = self._may_write(issue.repo, issue.author, ask=ask)
        if may:
            self._approvals[issue.key] = Approval(issue.author, issue.text_sha256)
        if may is not False or not has_label(issue.labels, self._go_label):
            return may
        return self._is_vouched(issue, ask=ask)

    def approval(self, issue: Listed) -> Approval | None:
        """Of one that is trusted: by whom, and of which text."""
        return self._approvals.get(issue.key)

    def _is_open(self, name: str, *, ask: bool) -> bool | None:
        repo, _, number = name.partition("#")
        if repo in self._listed:
            return (repo, int(number)) in self._open
        if not self._may_ask(ask=ask, free=lambda: self._reader.knows_issue(repo, int(number))):
            return None
        before = self._reader.paid
        try:
            return self._reader.is_open(repo, int(number))
        except GoneError:
            return False  # nobody will ever close what is not there
        except GitHubRefusedError:
            return True  # as far as anybody knows
        finally:
            self._spare -= self._reader.paid - before

    def _is_vouched(self, issue: Listed, *, ask: bool) -> bool | None:
        # Any change of the issue gives it another updated_at, and so another question.
        name = f"vouch:{issue.repo.lower()}#{issue.number}:{issue.updated_at.isoformat()}"
        known = self._facts.fact(f"{name}:{self._go_label}")
        if known is None:
            if not self._may_ask(ask=ask):
                return None
            known = json.dumps(self._who_vouches(issue))
            if self._now - issue.updated_at > _SAME_SECOND:
                self._facts.keep_fact(f"{name}:{self._go_label}", known, _VOUCH_LIFE)
        actor, sha256 = json.loads(known)
        may = self._may_write(issue.repo, actor, ask=ask) if actor else False
        if may:
            self._approvals[issue.key] = Approval(actor, sha256)
        return may

    def _who_vouches(self, issue: Listed) -> tuple[str, str]:
        """Who set the go label, and the hash of the text that person saw."""
        self._spare -= 1
        try:
            thread = self._reader.thread(issue.repo, issue.number)
        except GitHubRefusedError:
            return "", ""
        return labelled_by(thread, self._go_label), thread.text_sha256

    def _may_write(self, repo: str, login: str, *, ask: bool) -> bool | None:
        known = self._rights.known(repo, login)
        if known is not None:
            return known
        if not self._may_ask(ask=ask, free=lambda: self._reader.knows_rights(repo, login)):
            return None
        before = self._reader.paid
        known = self._rights.may_write(repo, login)
        self._spare -= self._reader.paid - before
        return known

    def _may_ask(self, *, ask: bool, free: Callable[[], bool] = lambda: False) -> bool:
        return ask and (self._spare > 0 or free())


def _name(issue: Listed) -> str:
    return issue.name.lower()
