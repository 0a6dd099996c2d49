"""What the agent of a run is told: asked of its forge when it starts, and written into its HOME."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cw.errors import BadInputError
from cw.homes.files import write_private
from cw.homes.journal import Journal
from cw.models import TaskSpec
from workerhost.clones import workspace
from workerhost.clones.workspace import Workspace
from workerhost.prompts.briefing import NOTHING, Past, Workplace, brief
from workerhost.prompts.repairing import Mending
from workerhost.prompts.trusted_comments import Heard, hear
from workerhost.runs import mending
from workerhost.runs.run_context import Holding

if TYPE_CHECKING:
    from cw.forges.client import Client


@dataclass(frozen=True, slots=True)
class Asked:
    """`issue`: None where the task has none. `wrong`: what a repair is to mend, as the forge says.
    `first`: no run of the task was there yet.
    """

    issue: Heard | None
    wrong: Mending
    first: bool


def ask(held: Holding, spec: TaskSpec, *, first: bool) -> Asked:
    """The issue as it is now, if those who may still stand for it; and what is to be mended. Raises
    CwError.
    """
    if not spec.github or (spec.issue is None and spec.repair is None):
        return Asked(None, Mending(), first)
    github, pages, settings = _github(held), held.ctx.store.github, held.ctx.settings
    issue = hear(github, pages, spec, settings.assign_go_label) if spec.issue is not None else None
    wrong = mending.ask(github, pages, spec, first=first, bots=settings.pulls_bots)
    return Asked(issue, wrong, first)


def _github(held: Holding) -> Client:
    github = held.ctx.github_for(held.home.id)
    if github is None:
        raise BadInputError(
            f"worker {held.home.id} has no GitHub token",
            hint=f"Put GH_TOKEN into {held.home.zshenv}",
        )
    return github


def write_briefing(
    held: Holding, book: Journal, place: Workspace, asked: Asked, *, lent: bool, prompt: str
) -> Journal:
    """With what its end is judged by. `lent`: the conversation is of an earlier task. Raises
    NothingLeftError, WorkspaceError.
    """
    spec, git, run = book.current, held.git(book), book.run
    workplace = Workplace(
        base=place.base,
        pushes=held.ctx.settings.github_access == "agent",
        branches=book.start.told if book.start else (),
        notes=place.notes,
        drafts=held.ctx.settings.pulls_review == "worker",
    )
    wrong, past = asked.wrong, NOTHING
    if spec.repair:
        wrong = mending.complete(git, place, spec.repair, wrong, first=asked.first)
        goes_on = run.resumed and lent
        report = "" if goes_on else mending.last_report(held.ctx.settings.workers_root, spec)
        past = Past(lent=goes_on, summary=workspace.summary(git, place), report=report)
    told = brief(
        spec,
        prompt,
        workplace,
        issue=asked.issue,
        mark=secrets.token_hex(8),
        resumed=workspace.summary(git, place) if run.resumed and not past.lent else "",
        mending=wrong,
        past=past,
    )
    write_private(held.home.prompt, told.prompt.encode())
    write_private(held.home.system_prompt, told.system.encode())
    wanted = {"threads": wrong.numbers} if wrong.numbers else {}
    return book.model_copy(update={"run": run.model_copy(update=wanted)})
