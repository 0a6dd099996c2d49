"""What people have said and done at a pull request. Who they are is asked where it matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cw.errors import GitHubRefusedError
from cw.forges.trusted_authors import associated, is_bot
from cw.pulls.hands import is_optional, says_stop

if TYPE_CHECKING:
    from cw.forges.client import Pushes
    from cw.forges.watched import Look, Said
    from cw.operations.passes.rights import Rights
    from cw.pulls.record import PullRecord

_OURS = "<!-- cw:"  # a comment of ours carries an agent's words


class Listener:
    """Raises GitHubUnavailableError."""

    def __init__(self, github: Pushes, rights: Rights) -> None:
        self._github = github
        self._rights = rights

    def stops(self, record: PullRecord, look: Look, *, working: bool) -> dict[str, str]:
        """All that was said or done once, and means hands off, by its id. `working`: a task of ours
        pushes there.
        """
        found = dict(record.stops)
        for said in look.comments:
            known = found.keys() | set(record.released)
            if said.id not in known and says_stop(said.body) and self._heard(look, said):
                found[said.id] = f"{said.author} said so"
        new = look.comment_count - record.comments
        if new > len(look.comments):  # one that asks to stop may be among the others
            found[f"comments:{look.comment_count}"] = f"{new} new comments, more than are read"
        if by := self._pushed(record, look, working=working):
            found[f"push:{look.glance.head}"] = f"{by} pushed {look.glance.head[:12]}"
        return found

    def threads(self, look: Look) -> int:
        """How many open ones want something, begun by people who are heard."""
        return sum(
            not is_optional(one.first.body) and self._heard(look, one.first) for one in look.threads
        )

    def _heard(self, look: Look, said: Said) -> bool:
        """As in an issue: by people who may write, last changed by such."""
        if not associated(said.association) or said.minimized or _OURS in said.body:
            return False
        return all(self._writes(look, login) for login in {said.author, said.editor or said.author})

    def _writes(self, look: Look, login: str) -> bool:
        return not is_bot(login) and self._rights.may_write(look.glance.repo, login)

    def _pushed(self, record: PullRecord, look: Look, *, working: bool) -> str:
        """Which person made the head what it is; empty: no person has. While no task of ours works
        on it, also the account that agents push as is a person's.
        """
        if working or not record.head or look.glance.head == record.head:
            return ""
        try:
            ref = f"refs/heads/{look.branch}"
            _, login = self._github.last_push(look.glance.repo, ref)
        except GitHubRefusedError:
            return ""
        return "" if is_bot(login) else login
