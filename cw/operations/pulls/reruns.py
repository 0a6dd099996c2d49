"""Checks that ended before they came to anything are run again, once for each head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cw.errors import GitHubRefusedError
from cw.forges.watched import CheckState
from cw.pulls.early_ends import worth_another_run

if TYPE_CHECKING:
    from cw.forges.client import Repairing
    from cw.forges.reading import Kept
    from cw.forges.watched import Look
    from cw.pulls.record import PullRecord


def run_again(github: Repairing, kept: Kept, record: PullRecord, look: Look) -> tuple[str, ...]:
    """Their names; empty: there is none, or the token may not. Raises GitHubUnavailableError."""
    red = {one.name for one in look.checks if one.state is CheckState.RED} - look.red_on_base
    if len(look.paths) < look.files or not red:
        return ()  # what it changes is not all known
    head = look.glance.head
    try:
        failures = github.failures(look.glance.repo, head, red, kept, logs=False)
        again = worth_another_run(failures, look.paths, head, record.rerun)
        if again:
            github.rerun(look.glance.repo, [one.rerunnable for one in again])
    except GitHubRefusedError:
        return ()
    return tuple(one.name for one in again)
