"""What of a review reaches an agent: the words of people who may write. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cw.forges.repairing import Reviewed, ReviewThread
from cw.forges.trusted_authors import Writes, heard_of, is_bot
from cw.forges.watched import Said


@dataclass(frozen=True, slots=True)
class Numbered:
    """An open thread, under the number that its answer has. `comments`: those that are heard."""

    number: int
    thread: ReviewThread
    comments: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class HeardReview:
    """As it was written; hidden text is still in it. `left_out`: comments and reviews of others,
    and those that were not read.
    """

    threads: tuple[Numbered, ...] = ()
    changes: tuple[Said, ...] = ()  # what the reviews say that ask for changes now
    left_out: int = 0


def hear_review(
    reviewed: Reviewed, wanted: Sequence[str], writes: Writes, bots: Collection[str] = ()
) -> HeardReview:
    """`wanted`: ids of threads, in the order of their numbers. Of those that are over by now, or in
    which nobody is heard, nothing is told. `bots`: logins of those that are heard.
    """
    by_id = {thread.id: thread for thread in reviewed.threads}
    threads = [(at, by_id[name]) for at, name in enumerate(wanted, 1) if name in by_id]
    asks = [review for review in reviewed.changes if review.body.strip()]
    said = [comment for _, thread in threads for comment in thread.comments] + asks
    heard = {one.id for one in heard_of(said, lambda who: not is_bot(who) and writes(who))}
    heard |= {one.id for one in said if _of_bot(one, {bot.lower() for bot in bots})}
    numbered = [
        Numbered(at, thread, tuple(one for one in thread.comments if one.id in heard))
        for at, thread in threads
    ]
    unread = sum(thread.unread for _, thread in threads)
    return HeardReview(
        threads=tuple(one for one in numbered if one.comments),
        changes=tuple(review for review in asks if review.id in heard),
        left_out=unread + sum(one.id not in heard for one in said),
    )


def _of_bot(said: Said, bots: Collection[str]) -> bool:
    ours = said.ours or said.minimized
    edited = bool(said.editor) and said.editor.lower() not in bots
    return is_bot(said.author) and said.author.lower() in bots and not (ours or edited)
