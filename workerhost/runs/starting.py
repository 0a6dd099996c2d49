"""Starting a run: workspace, prompt, agent."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cw.budgets.ceilings import Amount
from cw.errors import BadInputError, StaleFenceError
from cw.homes import journal
from cw.homes.journal import Journal, Run
from cw.models import Event, Start, Task, TaskSpec
from cw.names import same_repo
from cw.operations.rest.writes import on_start
from cw.states import Mode
from workerhost.agents import launch
from workerhost.agents.readiness import version_of
from workerhost.clones import preparing
from workerhost.clones.git import Git
from workerhost.clones.mirror import Mirror
from workerhost.clones.trusted import unlike_base
from workerhost.clones.workspace import Workspace, clone_path
from workerhost.programs.runner import Launch
from workerhost.runs import budget
from workerhost.runs.beginning import begin
from workerhost.runs.event_publishing import publish
from workerhost.runs.renamed_repository import called_now
from workerhost.runs.run_context import Holding
from workerhost.runs.sessions import Session
from workerhost.runs.telling import ask, write_briefing
from workerhost.shutdown import HostLeavesError

log = logging.getLogger("workerhost.starting")


def start(held: Holding, prompt: str, book: Journal, task: Task, session: Session) -> Journal:
    """`prompt`: as it was dispatched. `task`: its record, with where its first run began and what
    its runs have cost. `session`: in which it goes on, if there is a conversation. Raises CwError
    when there will be no agent, or HostLeavesError; then nothing of one runs.
    """
    ceiled = budget.ceiling(held.ctx.settings, book.task)
    may = budget.of_a_run(held.ctx.settings, budget.left(ceiled, budget.spent(task), task.spec.id))
    book = called_now(held, book)
    ctx, spec = held.ctx, book.current
    _refuse_without_access(held, spec)
    binary = ctx.runner.find(ctx.settings, ctx.host_env)
    asked = ask(held, spec, first=task.start is None)
    ctx.store.outbox.add(ctx.settings.host_name, on_start(spec, held.home.id))
    book, place = _prepare(held, book, task.start, session)
    book = write_briefing(held, book, place, asked, lent=session.lent, prompt=prompt)
    trusted = _trusted(held, held.git(book), spec, place)
    journal.write(held.home, book)
    if spec.github:
        ctx.access.lend(held.home, spec.repo)
    if held.lease.lost.is_set():
        raise StaleFenceError(f"the lease of {spec.id} ended before its agent was started")
    if ctx.leaving.detach.is_set():
        raise HostLeavesError
    order = _launch(held, spec, book.run, binary, may, trusted=trusted)
    _write_down(held, spec, book.run, order)
    launch.start(held.room, order, ctx.runner)
    log.info("run started task=%s worker=%s attempt=%s", spec.id, held.home.id, book.run.attempt)
    return book


def _refuse_without_access(held: Holding, spec: TaskSpec) -> None:
    if spec.mode is Mode.ISSUE and held.ctx.settings.github_access == "host":
        raise BadInputError(
            "with CW_GITHUB_ACCESS=host an agent cannot create issues",
            hint="Dispatch it to a host with CW_GITHUB_ACCESS=agent",
        )


def _prepare(
    held: Holding, book: Journal, known: Start | None, session: Session
) -> tuple[Journal, Workspace]:
    """The clone, and the journal of a run that is about to have an agent in it."""
    spec = book.current
    began: list[Start] = []

    def choose(mirror: Mirror) -> Start:
        began[:] = [begin(held, spec, known, mirror)]
        return began[0]

    git = held.git(book)
    begun = held.ctx.runner.begun(held.home, clone_path(git, spec), book.run.session)
    touched = session.own and begun
    place = preparing.prepare(git, spec, resume=session.own, touched=touched, choose=choose)
    _note(held, place.notes)
    update = {
        "clone": str(place.clone),
        "base": place.base,
        "base_sha": place.base_sha,
        "rescued": place.rescued,
        "missing": place.missing,
        "resumed": touched or (session.lent and begun),
    }
    run = book.run.model_copy(update=update)
    return book.model_copy(update={"start": began[0], "phase": "running", "run": run}), place


def _launch(
    held: Holding, spec: TaskSpec, run: Run, binary: Path, may: Amount, *, trusted: bool
) -> Launch:
    return Launch(
        binary=binary,
        model=spec.model,
        session=run.session,
        resume=run.resumed,
        cwd=Path(run.clone),
        env=held.env,
        repo_url=spec.repo_url,
        repo_path=spec.repo_path,
        max_usd=may.usd,
        max_turns=may.turns,
        trusted=trusted,
    )


def _note(held: Holding, texts: Iterable[str]) -> None:
    """In the task's events."""
    now = datetime.now(UTC)
    publish(held, [Event(at=now, kind="note", text=text) for text in texts])


def _trusted(held: Holding, git: Git, spec: TaskSpec, place: Workspace) -> bool:
    """Whether the agent loads what the repository brings, which runs outside the inner wall."""
    trusted = any(same_repo(repo, spec.repo) for repo in held.ctx.settings.trusted_repos)
    if not spec.github or not trusted:
        return False
    unlike = unlike_base(git, place)
    if unlike:
        said = f"{spec.repo} is not trusted in this run: {unlike} is not as {place.base} has it"
        log.warning("%s task=%s", said, spec.id)
        _note(held, [said])
    return not unlike


def _write_down(held: Holding, spec: TaskSpec, run: Run, order: Launch) -> None:
    """Before there is an agent: none runs that is not in the audit file."""
    ctx = held.ctx
    rules = json.dumps(dict(ctx.runner.rules(held.room, spec.repo_url)), sort_keys=True)
    facts: dict[str, Any] = {
        run.agent: str(order.binary.resolve()),
        f"{run.agent}_version": version_of(ctx.runner, order.binary).text,
    }
    facts |= {
        "task": spec.id,
        "issue": spec.label,
        "worker": run.worker,
        "attempt": run.attempt,
        "session": run.session,
        "agent": run.agent,
        "model": spec.model,
        "mode": spec.mode.value,
        "prompt_sha256": spec.prompt_sha256,
        "approved_by": spec.approved_by,
        "isolation": ctx.wall.mode,
        "trusted": order.trusted,
        "policy_sha256": hashlib.sha256(rules.encode()).hexdigest(),
        "base_sha": run.base_sha,
    }
    ctx.audit.add("started", spec.created_by, **facts)
