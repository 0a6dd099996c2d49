"""How a command ends that made one pass over GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cw.cli.views.render import note
from cw.errors import GitHubUnavailableError

if TYPE_CHECKING:
    from cw.operations.passes.github_pass import Passed


def finish(done: Passed[Any]) -> None:
    """Tell its warnings. Raises GitHubUnavailableError when it ended early."""
    for warning in done.warnings:
        note(f"warning: {warning}")
    if done.stopped:
        raise GitHubUnavailableError(f"this pass ended early: {done.stopped}")
