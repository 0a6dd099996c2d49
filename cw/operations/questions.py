"""What the list does not say about an issue, asked within a budget of requests a pass."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cw.errors import GitHubRefusedError
from cw.github.listing import Listed, Reader, label_events
from cw.github.places import is_open, is_private, issue_path, may_write, repo_path
from cw.operations.eligibility import TRUSTED, has_label

if TYPE_CHECKING:
    from collections.abc import Collection

    from cw.store.github_cache import GitHubCache

BUDGET = 8  # requests a pass, beyond the lists
_PRIVACY_LIFE = timedelta(days=1)
_PERMISSION_LIFE = timedelta(hours=1)
_VOUCH_LIFE = timedelta(days=7)
_SAME_SECOND = timedelta(seconds=2)  # GitHub's times cannot tell two changes within one


class Questions:
    """Every answer is shared by the fleet; None is no answer yet. Raises GitHubUnavailableError."""

    def __init__(self, reader: Reader, facts: GitHubCache, go_label: str, now: datetime) -> None:
        self._now = now
        self._reader = reader
        self._facts = facts
        self._go_label = go_label
        self._spare = BUDGET
        self._open: set[tuple[str, int]] = set()
        self._listed: set[str] = set()

    def listed(self, repos: Collection[str], issues: Collection[Listed]) -> None:
        """These lists were read: what is not in them is closed."""
        self._listed = {one.lower() for one in repos}
        self._open = {one.key for one in issues}

    def blockers(self, issue: Listed, *, ask: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the text names and is open, and what nobody has looked at yet."""
        states = {one: self._is_open(one, ask=ask) for one in issue.needs if one != _name(issue)}
        is_open = tuple(one for one, state in states.items() if state)
        return is_open, tuple(one for one, state in states.items() if state is None)

    def trusted(self, issue: Listed, *, ask: bool) -> bool | None:
        """By the author's association, by the repository being private, or by the go label."""
        if issue.association in TRUSTED:
            return True
        private = self._is_private(issue.repo, ask=ask)
        if private:
            return True
        if not has_label(issue, self._go_label):
            return private
        return self._is_vouched(issue, ask=ask)

    def _is_open(self, name: str, *, ask: bool) -> bool | None:
        repo, _, number = name.partition("#")
        if repo in self._listed:
            return (repo, int(number)) in self._open
        if not self._may_ask(ask=ask, path=issue_path(repo, int(number))):
            return None
        before = self._reader.paid
        try:
            return is_open(self._reader, repo, int(number))
        except GitHubRefusedError:
            return False  # nobody will ever close what is not there
        finally:
            self._spare -= self._reader.paid - before

    def _is_private(self, repo: str, *, ask: bool) -> bool | None:
        name = f"private:{repo.lower()}"
        known = self._facts.fact(name)
        if known is None and self._may_ask(ask=ask, path=repo_path(repo)):
            before = self._reader.paid
            known = "yes" if is_private(self._reader, repo) else "no"
            self._spare -= self._reader.paid - before
            self._facts.keep_fact(name, known, _PRIVACY_LIFE)
        return None if known is None else known == "yes"

    def _is_vouched(self, issue: Listed, *, ask: bool) -> bool | None:
        # Any change of the issue gives it another updated_at, and so another question.
        name = f"go:{issue.repo.lower()}#{issue.number}:{issue.updated_at.isoformat()}"
        known = self._facts.fact(f"{name}:{self._go_label}")
        if known is None:
            if not self._may_ask(ask=ask):
                return None
            known = json.dumps(self._who_vouches(issue))
            if self._now - issue.updated_at > _SAME_SECOND:
                self._facts.keep_fact(f"{name}:{self._go_label}", known, _VOUCH_LIFE)
        actor = json.loads(known)
        return self._may_write(issue.repo, actor, ask=ask) if actor else False

    def _who_vouches(self, issue: Listed) -> str:
        """Who set the go label, if the text is still what that person saw."""
        before = self._reader.paid
        try:
            events = label_events(self._reader, issue.repo, issue.number)
            edited = self._reader.github.body_edited_at(issue.repo, issue.number)
        except GitHubRefusedError:
            return ""
        finally:
            self._spare -= self._reader.paid - before
        set_by = [one for one in events if one.kind == "labeled" and self._is_go(one.label)]
        if not set_by:
            return ""
        last = set_by[-1]
        renamed = any(one.kind == "renamed" and one.at >= last.at for one in events)
        if renamed or (edited and edited >= last.at):
            return ""
        return last.actor

    def _may_write(self, repo: str, login: str, *, ask: bool) -> bool | None:
        name = f"writes:{repo.lower()}:{login.lower()}"
        known = self._facts.fact(name)
        if known is None:
            if not self._may_ask(ask=ask):
                return None
            self._spare -= 1
            try:
                known = "yes" if may_write(self._reader, repo, login) else "no"
            except GitHubRefusedError:
                known = "no"  # gone, or never there
            self._facts.keep_fact(name, known, _PERMISSION_LIFE)
        return known == "yes"

    def _is_go(self, label: str) -> bool:
        return label.lower() == self._go_label.lower()

    def _may_ask(self, *, ask: bool, path: str = "") -> bool:
        return ask and (self._spare > 0 or (bool(path) and self._reader.known(path)))


def _name(issue: Listed) -> str:
    return issue.name.lower()
