"""A request becomes a task, and the audit log says in whose name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cw.cli.context import Cli
from cw.errors import BadInputError

if TYPE_CHECKING:
    from cw.operations.dispatch.dispatching import Dispatched
    from cw.operations.dispatch.request import Request


def dispatch_one(cli: Cli, request: Request) -> Dispatched:
    """For the worker that its tag stands for, if it has one. Raises CwError."""
    if request.tag:
        request = replace(request, worker=_tagged(cli, request.tag, request.worker))
    return _dispatch(cli, request)


def _dispatch(cli: Cli, request: Request) -> Dispatched:
    """And write down in whose name."""
    from cw.broker.app import make_app, send_hint
    from cw.operations.dispatch.dispatching import dispatch

    app = make_app(cli.settings)
    github = cli.github if request.repo.github else None
    done = dispatch(
        request, cli.store, github, lambda spec: send_hint(app, spec, spec.wanted_worker)
    )
    spec = done.task
    cli.audit.add(
        "dispatched",
        spec.created_by,
        task=spec.id,
        issue=spec.label,
        worker=spec.wanted_worker,
        model=spec.model,
        prompt_sha256=spec.prompt_sha256,
    )
    return done


def _tagged(cli: Cli, tag: str, worker: str | None) -> str:
    from cw.operations.fleet.tags import worker_with

    if worker:
        raise BadInputError(
            "-w and -t were both given", hint="-w names the worker, -t lets a tag choose it"
        )
    return worker_with(cli.store, tag)
