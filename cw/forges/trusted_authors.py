"""Whose words may steer an agent: those of people who may write to the repository, or whose text
one of them approved as it stands. Pure; `writes` tells who may write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from cw.forges.issue_text import text_sha256
from cw.forges.issues import Comment, Thread
from cw.models import TaskSpec
from cw.names import has_label, same_label

BOT = "[bot]"  # what a bot's login ends in; no person's can have brackets
_ASSOCIATED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_OURS = "<!-- cw:"  # a comment of ours carries an agent's words
_MOST_ASKED = 30  # people whose rights are looked up for one issue

Writes = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Approval:
    """Of one text, by somebody who may write. `by` is empty when a person dispatched it."""

    by: str
    sha256: str


def associated(association: str) -> bool:
    """Worth asking about. GitHub's word alone is not enough: members may be readers."""
    return association in _ASSOCIATED


def is_bot(login: str) -> bool:
    return login.endswith(BOT)


def labelled_by(thread: Thread, go_label: str) -> str:
    """Who set the go label, if the text is still what that person saw; else empty.

    GitHub's times have whole seconds: a change in the same one counts as later.
    """
    if not has_label(thread.labels, go_label):
        return ""
    set_by = [labelled for labelled in thread.labelled if same_label(labelled.label, go_label)]
    if not set_by:
        return ""
    last = set_by[-1]
    changes = (thread.body_edited_at, thread.title_edited_at)
    return "" if any(changed_at and changed_at >= last.at for changed_at in changes) else last.actor


def approve(thread: Thread, go_label: str, writes: Writes) -> Approval | None:
    """Its author's own word, or the go label."""
    wrote = {thread.author, thread.body_editor or thread.author}
    if all(writes(login) for login in wrote | {thread.title_editor or thread.author}):
        return Approval(thread.author, thread.text_sha256)
    actor = labelled_by(thread, go_label)
    return Approval(actor, thread.text_sha256) if actor and writes(actor) else None


def objection(spec: TaskSpec, thread: Thread, go_label: str, writes: Writes) -> str:
    """Why this issue must not be worked on any more as it now stands; empty: it may be.

    What a label approved must be unchanged. What a person dispatched, or an author who may write
    assigned, may have been changed since by those who may write.
    """
    changed = _changes(spec, thread)
    by = spec.approved_by
    if by and not writes(by):
        return f"{by}, who stands for its text, may not write to {spec.repo} any more"
    if by and by.lower() != thread.author.lower():
        if changed:
            return f"its {' and '.join(changed)} changed since {by} approved it"
        if not has_label(thread.labels, go_label):
            return f"the label {go_label}, which approved it, was taken off"
    strangers = {part: who for part, who in changed.items() if not writes(who)}
    if strangers:
        parts = " and ".join(strangers)
        return f"its {parts} changed since its dispatch, by somebody who may not write"
    return ""


class Spoken(Protocol):
    """A comment of an issue, of a review, or one itself."""

    @property
    def author(self) -> str: ...
    @property
    def association(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def editor(self) -> str: ...
    @property
    def minimized(self) -> bool: ...


S = TypeVar("S", bound=Spoken)


def heard(thread: Thread, writes: Writes) -> tuple[Comment, ...]:
    """The comments an agent is given."""
    return heard_of(thread.comments, writes)


def heard_of(comments: Sequence[S], writes: Writes) -> tuple[S, ...]:
    """Those by people who may write, last changed by such. `comments`: oldest first."""
    asked: set[str] = set()

    def may(login: str) -> bool:
        asked.add(login)
        return len(asked) <= _MOST_ASKED and writes(login)

    newest_first = [comment for comment in reversed(comments) if _is_talk(comment)]
    return tuple(
        reversed(
            [
                comment
                for comment in newest_first
                if may(comment.author) and (not comment.editor or may(comment.editor))
            ]
        )
    )


def _is_talk(comment: Spoken) -> bool:
    return associated(comment.association) and not comment.minimized and _OURS not in comment.body


def _changes(spec: TaskSpec, thread: Thread) -> dict[str, str]:
    """What differs from what was dispatched, and who changed it last."""
    changed = {}
    if thread.title != spec.title:
        changed["title"] = thread.title_editor
    if text_sha256(spec.title, thread.body) != spec.approved_sha256:
        changed["text"] = thread.body_editor
    return changed
