"""What we say at pull requests, in words that mention nobody, link nothing and close nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cw.github.publishable import publishable_words

if TYPE_CHECKING:
    from cw.pulls.record import PullRecord


def not_mended(record: PullRecord, why: str) -> str:
    """Once for all of it, with what was tried."""
    rows = [f"- {publishable_words(one)}" for one in record.tried]
    tried = "\n\nWhat was tried:\n\n" + "\n".join(rows) if rows else ""
    return (
        f"This is not mended any further: {publishable_words(why)}. It waits for a person:"
        f" {publishable_words(record.waits)}.{tried}\n\n`cw prs resume {record.name}` lets it be"
        " mended again."
    )
