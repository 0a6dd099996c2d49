"""Starting a run: workspace, prompt, agent."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from cw.errors import BadInputError, StaleFenceError
from cw.homes import journal
from cw.homes.files import write_private
from cw.homes.journal import Journal, Run
from cw.models import Event, Start, TaskSpec
from cw.names import same_repo
from cw.operations.rest.writes import on_start
from cw.states import Mode
from workerhost.agents import launch
from workerhost.agents.claude import find_claude, transcript
from workerhost.agents.readiness import version_of
from workerhost.clones import preparing, workspace
from workerhost.clones.git import Git
from workerhost.clones.mirror import Mirror
from workerhost.clones.trusted import unlike_base
from workerhost.clones.workspace import Workspace, clone_path
from workerhost.prompts.briefing import Workplace, brief
from workerhost.prompts.trusted_comments import Heard, hear
from workerhost.runs.beginning import begin
from workerhost.runs.event_publishing import publish
from workerhost.runs.renamed_repository import called_now
from workerhost.runs.run_context import Holding
from workerhost.shutdown import HostLeavesError
from workerhost.walls.policy import policy

log = logging.getLogger("workerhost.starting")


def start(
    held: Holding, prompt: str, book: Journal, known: Start | None, *, again: bool
) -> Journal:
    """`prompt`: as it was dispatched. `known`: where the task's first run began. `again`: the run
    goes on in a session of the task that this HOME knows. Raises CwError when there will be no
    agent, or HostLeavesError; then nothing of one runs.
    """
    book = called_now(held, book)
    ctx, spec, home = held.ctx, book.current, held.home
    if spec.mode is Mode.ISSUE and ctx.settings.github_access == "host":
        raise BadInputError(
            "with CW_GITHUB_ACCESS=host an agent cannot create issues",
            hint="Dispatch it to a host with CW_GITHUB_ACCESS=agent",
        )
    claude = find_claude(ctx.settings, ctx.host_env)
    issue = _issue(held, spec)
    ctx.store.outbox.add(ctx.settings.host_name, on_start(spec, home.id))
    began: list[Start] = []

    def choose(mirror: Mirror) -> Start:
        began[:] = [begin(held, spec, known, mirror)]
        return began[0]

    git = held.git(book)
    begun = transcript(home, clone_path(git, spec), book.run.session)
    resume = again and begun.exists()
    place = preparing.prepare(git, spec, resume=again, touched=resume, choose=choose)
    _note(held, place.notes)
    book = book.model_copy(update={"start": began[0]})
    _write_briefing(held, book, place, prompt, issue, resume=resume)
    trusted = _trusted(held, held.git(book), spec, place)
    update = {
        "clone": str(place.clone),
        "base": place.base,
        "base_sha": place.base_sha,
        "rescued": place.rescued,
        "missing": place.missing,
        "resumed": resume,
    }
    run = book.run.model_copy(update=update)
    book = book.model_copy(update={"phase": "running", "run": run})
    journal.write(home, book)
    if spec.github:
        ctx.access.lend(home, spec.repo)
    if held.lease.lost.is_set():
        raise StaleFenceError(f"the lease of {spec.id} ended before its agent was started")
    if ctx.leaving.detach.is_set():
        raise HostLeavesError
    _write_down(held, spec, run, claude, trusted=trusted)
    launch.start(
        home,
        launch.Launch(
            claude=claude,
            model=spec.model,
            session=run.session,
            resume=resume,
            cwd=place.clone,
            env=held.env,
            repo_url=spec.repo_url,
            repo_path=spec.repo_path,
            trusted=trusted,
        ),
        ctx.wall,
        ctx.settings,
    )
    log.info("run started task=%s worker=%s attempt=%s", spec.id, home.id, run.attempt)
    return book


def _note(held: Holding, texts: Iterable[str]) -> None:
    """In the task's events."""
    now = datetime.now(UTC)
    publish(held, [Event(at=now, kind="note", text=one) for one in texts])


def _trusted(held: Holding, git: Git, spec: TaskSpec, place: Workspace) -> bool:
    """Whether claude loads what the repository brings along, which runs outside the inner wall."""
    trusted = any(same_repo(one, spec.repo) for one in held.ctx.settings.trusted_repos)
    if not spec.github or not trusted:
        return False
    unlike = unlike_base(git, place)
    if unlike:
        said = f"{spec.repo} is not trusted in this run: {unlike} is not as {place.base} has it"
        log.warning("%s task=%s", said, spec.id)
        _note(held, [said])
    return not unlike


def _write_down(held: Holding, spec: TaskSpec, run: Run, claude: Path, *, trusted: bool) -> None:
    """Before there is an agent: none runs that is not in the audit file."""
    ctx = held.ctx
    rules = json.dumps(policy(held.home, ctx.wall, ctx.settings, spec.repo_url), sort_keys=True)
    ctx.audit.add(
        "started",
        spec.created_by,
        task=spec.id,
        issue=spec.label,
        worker=run.worker,
        attempt=run.attempt,
        session=run.session,
        model=spec.model,
        mode=spec.mode.value,
        prompt_sha256=spec.prompt_sha256,
        approved_by=spec.approved_by,
        isolation=ctx.wall.mode,
        trusted=trusted,
        policy_sha256=hashlib.sha256(rules.encode()).hexdigest(),
        claude=str(claude.resolve()),
        claude_version=version_of(claude),
        base_sha=run.base_sha,
    )


def _issue(held: Holding, spec: TaskSpec) -> Heard | None:
    """The issue as it is now, if those who may still stand for it."""
    if not spec.github or spec.issue is None:
        return None
    github = held.ctx.github_for(held.home.id)
    if github is None:
        raise BadInputError(
            f"worker {held.home.id} has no GitHub token",
            hint=f"Put GH_TOKEN into {held.home.zshenv}",
        )
    return hear(github, held.ctx.store.github, spec, held.ctx.settings.assign_go_label)


def _write_briefing(
    held: Holding,
    book: Journal,
    place: Workspace,
    prompt: str,
    issue: Heard | None,
    *,
    resume: bool,
) -> None:
    workplace = Workplace(
        base=place.base,
        pushes=held.ctx.settings.github_access == "agent",
        branches=book.start.told if book.start else (),
        notes=place.notes,
    )
    resumed = workspace.summary(held.git(book), place) if resume else ""
    mark = secrets.token_hex(8)
    told = brief(book.current, prompt, workplace, issue=issue, mark=mark, resumed=resumed)
    write_private(held.home.prompt, told.prompt.encode())
    write_private(held.home.system_prompt, told.system.encode())
