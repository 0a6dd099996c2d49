"""What beat asks of the fleet beside the sweep: assign issues, reconcile labels, follow pull
requests.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from cw.broker.app import send_hint
from cw.errors import CwError
from cw.operations.assignment.assign import Assigned, assign
from cw.operations.passes import scope
from cw.operations.passes.context import PassContext
from cw.operations.pulls.follow import Followed, follow
from cw.operations.reconciliation.reconcile import Reconciled, reconcile

if TYPE_CHECKING:
    from celery import Celery

    from workerhost.runs.run_context import Context

log = logging.getLogger("workerhost.periodic_tasks")


def assign_tick(app: Celery, ctx: Context) -> None:
    ways = _ways(app, ctx, "assign")
    if ways is None or not scope.is_configured(ctx.settings):
        return
    with ctx.troubles.watch("assign"):
        try:
            tell_assigned(assign(ways))
        except CwError as error:
            log.warning("assign failed: %s", error.line())


def reconcile_tick(app: Celery, ctx: Context) -> None:
    ways = _ways(app, ctx, "reconcile")
    if ways is None:
        return
    with ctx.troubles.watch("reconcile"):
        try:
            tell_reconciled(reconcile(ways))
        except CwError as error:
            log.warning("reconcile failed: %s", error.line())


def pulls_tick(app: Celery, ctx: Context) -> None:
    """What waited for an issue that a merge has closed is handed out at once."""
    ways = _ways(app, ctx, "following pull requests")
    if ways is None:
        return
    with ctx.troubles.watch("pulls"):
        try:
            done = follow(ways)
            tell_followed(done)
        except CwError as error:
            log.warning("following pull requests failed: %s", error.line())
            return
        if done.merged:
            assign_tick(app, ctx)


def tell_followed(done: Followed) -> None:
    for row in done.rows:
        log.info(
            "pull request repo=%s number=%d task=%s was=%s is=%s waits=%s",
            row.repo,
            row.number,
            row.task,
            row.before,
            row.state,
            row.waits,
        )
    for text in (*done.warnings, *([done.stopped] if done.stopped else [])):
        log.warning("pull requests: %s", text)


def tell_assigned(done: Assigned) -> None:
    words = Counter(row.verdict.value for row in done.rows if not row.task)
    for row in done.dispatched:
        log.info(
            "assigned repo=%s issue=%d worker=%s task=%s", row.repo, row.issue, row.worker, row.task
        )
    log.info(
        "assign pass dispatched=%d skipped=%s asked=%d unchanged=%d busy=%s",
        len(done.dispatched),
        dict(words),
        done.asked,
        done.unchanged,
        done.busy,
    )
    for text in (*done.warnings, *([done.stopped] if done.stopped else [])):
        log.warning("assign: %s", text)


def tell_reconciled(done: Reconciled) -> None:
    for row in done.rows:
        log.info(
            "reconciled repo=%s issue=%d action=%s worker=%s done=%s why=%s %s",
            row.repo,
            row.issue,
            row.action,
            row.worker,
            row.done,
            row.why,
            row.error,
        )
    for text in (*done.warnings, *([done.stopped] if done.stopped else [])):
        log.warning("reconcile: %s", text)


def _ways(app: Celery, ctx: Context, what: str) -> PassContext | None:
    github = ctx.github_for("")  # the host's own: no single worker's may see everything
    if github is None:
        log.info("%s needs GH_TOKEN in the host's environment; nothing done", what)
        return None
    return PassContext(
        settings=ctx.settings,
        store=ctx.store,
        github=github,
        hint=lambda spec: send_hint(app, spec, spec.wanted_worker),
        by=f"beat@{ctx.settings.host_name}",
    )
