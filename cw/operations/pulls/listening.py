"""What people have said and done at a pull request. Who they are is asked where it matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cw.errors import GitHubRefusedError
from cw.forges.trusted_authors import associated, is_bot
from cw.pulls.hands import is_optional, says_stop
from cw.pulls.wants import Heard, Wants, wants

if TYPE_CHECKING:
    from collections.abc import Collection

    from cw.forges.client import Pushes
    from cw.forges.watched import Look, OpenThread, Said
    from cw.operations.passes.rights import Rights
    from cw.pulls.record import PullRecord

_OURS = "<!-- cw:"  # a comment of ours carries an agent's words


class Listener:
    """Raises GitHubUnavailableError."""

    def __init__(self, github: Pushes, rights: Rights, bots: Collection[str] = ()) -> None:
        """`bots`: logins of those whose remarks count like people's; what they say to stop does
        too.
        """
        self._github = github
        self._rights = rights
        self._bots = {bot.lower() for bot in bots}

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

    def wants(self, record: PullRecord, look: Look) -> Wants:
        threads = (self._thread(look, one) for one in look.threads)
        return wants(filter(None, threads), look.changes, record.answered)

    def _thread(self, look: Look, thread: OpenThread) -> Heard | None:
        """None: nobody who is heard wants anything in it."""
        last, ours = "", False
        for said in thread.comments:
            if said.ours and _OURS in said.body:
                ours = bool(last)
            elif not is_optional(said.body) and self._heard(look, said):
                last, ours = said.id, False
        return Heard(id=thread.id, last=last, ours=ours) if last else None

    def _heard(self, look: Look, said: Said) -> bool:
        """As in an issue: by people who may write, or bots that are to be heard, last changed by
        such.
        """
        if said.minimized or _OURS in said.body:
            return False
        if said.author.lower() not in self._bots and not associated(said.association):
            return False
        return all(self._writes(look, login) for login in {said.author, said.editor or said.author})

    def _writes(self, look: Look, login: str) -> bool:
        if is_bot(login):
            return login.lower() in self._bots
        return self._rights.may_write(look.glance.repo, login)

    def _pushed(self, record: PullRecord, look: Look, *, working: bool) -> str:
        """Which person made the head what it is; empty: no person has. While no task of ours works
        on it, also the account that agents push as, which opened it, is a person's.
        """
        if not record.head or look.glance.head == record.head:
            return ""
        try:
            ref = f"refs/heads/{look.branch}"
            _, login = self._github.last_push(look.glance.repo, ref)
        except GitHubRefusedError:
            return ""
        if is_bot(login) or (working and login.lower() == look.author.lower()):
            return ""
        return login
