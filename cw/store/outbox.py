"""GitHub writes still to do."""

from __future__ import annotations

import time
from typing import Literal

from cw.models import Model
from cw.store import keys
from cw.store.connection import Connection
from cw.store.signed_outbox import Clock, Kind, SignedOutbox

_MARK = "mark"
_MARK_CHARS = 40  # 160 bits


class Effect(Model):
    """One write to GitHub. `mark` makes a comment findable, so that it is posted once. `task`: of
    which it is; empty: of none, or said by a cw that did not say.
    """

    kind: Literal["label", "unlabel", "comment", "draft", "ready", "reply", "resolve"]
    repo: str  # as it was called then
    repo_id: int = 0  # GitHub's; 0: said by a cw that did not know it
    issue: int  # or pull request
    worker: str  # whose token is used when the host has none
    text: str
    mark: str = ""
    task: str = ""
    thread: str = ""  # of a review, for `reply` and `resolve`


WRITES = Kind(
    name="effect",
    model=Effect,
    waits=keys.outbox,
    aside=keys.undeliverable,
    words="GitHub writes",
)


class OutboxStore(SignedOutbox[Effect]):
    def __init__(self, connection: Connection, clock: Clock = time.time) -> None:
        super().__init__(connection, WRITES, clock)

    def marks(self, effect: Effect) -> tuple[str, ...]:
        """By which its comment is found again. Nobody without the key can make them, and they are
        good in one place only. The first is that of the key that signs.
        """
        what = [effect.repo.lower(), effect.issue, effect.mark, effect.text]
        made = self._db.keyring.signatures(_MARK, what)
        return tuple(f"cw:{signature[:_MARK_CHARS]}" for signature in made)
