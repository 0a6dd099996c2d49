"""What other machines may ask of this host's disk: pages of logs, the clone's changes, to-dos."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from cw.credentials.agentenv import agent_environment
from cw.credentials.known import redactor_for
from cw.errors import CwError
from cw.homes import pages
from cw.homes.home import own_templates, templates_dir
from cw.homes.layout import Home
from cw.homes.refreshing import refresh_rules
from cw.homes.removing import set_aside
from cw.operations.fleet.ask import PAGE_BYTES, Ask
from cw.redaction.redact import Redactor
from workerhost.clones import changes
from workerhost.runs.run_context import Context

log = logging.getLogger("workerhost.answers")

_LOOK_SECONDS = 5.0  # whoever asks waits for 8

Answer = Callable[[Context, Home, Ask], dict[str, Any]]


def answer(ctx: Context, homes: Mapping[str, Home], raw: dict[str, Any]) -> None:
    """Answers always, if the question can be read at all; a refusal is an answer too."""
    try:
        request = Ask.model_validate(raw)
    except ValidationError:
        log.warning("question refused: not of the known form")
        return
    try:
        if request.verb == "look":
            said: dict[str, Any] = {}
        else:
            said = _ANSWERS[request.verb](ctx, _home(homes, request), request)
    except CwError as error:
        said = {"error": error.line()}
    except Exception as error:
        log.exception("question failed verb=%s", request.verb)
        said = {"error": f"the host failed to answer: {type(error).__name__}"}
    ctx.store.replies.put(request.id, said)


def _home(homes: Mapping[str, Home], request: Ask) -> Home:
    if request.worker not in homes or not homes[request.worker].marker.is_file():
        raise CwError(f"worker {request.worker} does not live on this host")
    return homes[request.worker]


def _log(ctx: Context, where: Home, request: Ask) -> dict[str, Any]:
    limit = min(request.limit, PAGE_BYTES)
    clean = _clean(ctx, where)
    return pages.log_page(where, request.task, request.offset, limit, clean, request.attempt)


def _diff(ctx: Context, where: Home, request: Ask) -> dict[str, Any]:
    env = agent_environment(where, ctx.settings, ctx.host_env)
    found = changes.changes(where, ctx.wall, ctx.settings, env, request.task, seconds=_LOOK_SECONDS)
    clean: dict[str, Any] = _clean(ctx, where).deep(found)
    return clean


def _todos(ctx: Context, where: Home, request: Ask) -> dict[str, Any]:
    found = [todo.model_dump(mode="json") for todo in pages.todo_list(where, request.task)]
    return {"todos": _clean(ctx, where).deep(found)}


def _history(ctx: Context, where: Home, request: Ask) -> dict[str, Any]:
    many = min(request.limit, pages.ARCHIVES_PAGE)
    page = pages.archives_page(where, request.task, request.offset, many)
    clean: dict[str, Any] = _clean(ctx, where).deep(page)
    return clean


def _clean(ctx: Context, where: Home) -> Redactor:
    return redactor_for(where, ctx.settings, ctx.host_env)


def _refresh(ctx: Context, where: Home, _: Ask) -> dict[str, Any]:
    """The template files only, this machine's own too: logins never travel through the broker."""
    own = own_templates(ctx.host_env)
    return refresh_rules(where, templates_dir(), own).model_dump(mode="json")


def _remove(ctx: Context, where: Home, _: Ask) -> dict[str, Any]:
    found = ctx.store.fleet.worker(where.id)
    if found and (found.task or not found.paused):
        raise CwError(f"worker {where.id} takes or has work", hint=f"cw remove {where.id}")
    kept = set_aside(where)
    return {"kept": str(kept or "")}


_ANSWERS: dict[str, Answer] = {
    "log": _log,
    "diff": _diff,
    "todos": _todos,
    "history": _history,
    "refresh": _refresh,
    "remove": _remove,
}
