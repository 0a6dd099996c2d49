"""How one write of the outbox is carried out on GitHub: a label, a comment, a draft and its end, an
answer in a review.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cw.store.outbox import Effect

if TYPE_CHECKING:
    from cw.forges.client import Writes


def perform(
    effect: Effect, github: Writes, marks: Sequence[str], no_drafts: Callable[[int], None]
) -> None:
    """On the repository as it is called now. Raises CwError.

    `marks`: by which a comment of ours is known again, the newest first.
    `no_drafts`: called when GitHub's plan has none; the comment that follows is all there is then.
    """
    repo = github.name_of(effect.repo, effect.repo_id)
    if effect.kind == "label":
        github.ensure_label(repo, effect.text, f"Claude {effect.text.replace(':', ' ')}")
        github.add_label(repo, effect.issue, effect.text)
    elif effect.kind == "unlabel":
        github.remove_label(repo, effect.issue, effect.text)
    elif effect.kind == "draft":
        if not github.to_draft(repo, effect.issue):
            no_drafts(effect.repo_id)
    elif effect.kind == "ready":
        github.mark_ready(repo, effect.issue)
    elif effect.kind == "reply":
        github.reply(repo, effect.issue, effect.thread, effect.text, marks[0])
    elif effect.kind == "resolve":
        github.resolve(repo, effect.thread)
    else:
        github.comment_once(repo, effect.issue, effect.text, marks)
