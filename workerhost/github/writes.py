"""How one write of the outbox is carried out on GitHub: a label, a comment, a draft."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cw.errors import GitHubRefusedError
from cw.github.comments import comment_once
from cw.github.drafts import to_draft
from cw.github.errors import says_no_drafts
from cw.store.outbox import Effect

if TYPE_CHECKING:
    from cw.github.client import GitHub


def perform(
    effect: Effect, github: GitHub, marks: Sequence[str], no_drafts: Callable[[int], None]
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
        try:
            to_draft(github, repo, effect.issue)
        except GitHubRefusedError as error:
            if not says_no_drafts(error.message):
                raise
            no_drafts(effect.repo_id)
    else:
        comment_once(github, repo, effect.issue, effect.text, marks)
