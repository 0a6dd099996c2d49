"""The way of one request: faults, who asks, limits, the work, ETag, log."""

import hashlib
import logging
import threading
import traceback
from dataclasses import dataclass, field

from . import moves
from .access import Viewer, identify
from .faults import Fault, Faults
from .githttp import GitCall, git_call, serve_git
from .graphql_parse import parse
from .job_logs import is_log, serve_log
from .lfs import is_lfs, serve_lfs
from .limits import Limits, resource_of
from .render import Render
from .rest import find
from .rest_apps import wants_jwt
from .routing import Call
from .state import State
from .traffic import LoggedRequest, Traffic
from .wire import ApiError, Reply, Request

LOG = logging.getLogger(__name__)
FREE = {"/rate_limit", "/meta"}


@dataclass(kw_only=True)
class Outcome:
    login: str = ""
    reply: Reply = field(default_factory=Reply)


class Service:
    def __init__(self, state: State, limits: Limits, faults: Faults, traffic: Traffic) -> None:
        self._state = state
        self._limits = limits
        self._faults = faults
        self._traffic = traffic
        self.stopping = threading.Event()

    def __call__(self, request: Request) -> Reply | None:
        operation = _operation(request)
        git = git_call(request)
        fault = self._faults.take(request, operation)
        if fault and fault.delay:
            self.stopping.wait(fault.delay)
        outcome = self._work(request, git, fault)
        dropped = fault is not None and fault.drop
        self._traffic.add(
            LoggedRequest(
                method=request.method,
                host=request.host,
                path=request.path,
                query=request.query,
                status=0 if dropped else outcome.reply.status,
                login=outcome.login,
                at=self._state.now(),
                operation=operation,
                git=git is not None,
                errors=_errors(outcome.reply),
                lied=fault is not None and not fault.delays_only,
            )
        )
        return None if dropped else outcome.reply

    def _work(self, request: Request, git: GitCall | None, fault: Fault | None) -> Outcome:
        outcome = Outcome()
        if fault is None or fault.after_effect or fault.delays_only:
            try:
                outcome.reply = self._answer(request, git, outcome)
            except ApiError as error:
                outcome.reply = error.reply()
            except Exception:
                LOG.exception("the stand-in broke on %s %s", request.method, request.path)
                outcome.reply = Reply(status=500, body={"message": traceback.format_exc()})
        if fault and not fault.delays_only:
            outcome.reply = fault.reply()
        return outcome

    def _answer(self, request: Request, git: GitCall | None, outcome: Outcome) -> Reply:
        if is_log(request):
            with self._state.lock:
                return serve_log(self._state, request)
        with self._state.lock:
            viewer = self._viewer(request)
        outcome.login = viewer.login
        if git:
            elsewhere = moves.git_sent_on(self._state, request, git.full_name, git.path_info)
            if elsewhere:
                return elsewhere
            return serve_git(self._state, viewer, request, git)
        if is_lfs(request):
            return serve_lfs(self._state, viewer, request)
        return self._limited(request, viewer)

    def _viewer(self, request: Request) -> Viewer:
        if wants_jwt(request.path):
            return Viewer(self._state, None)  # a JWT, which only these handlers understand
        return identify(self._state, request.headers.get("authorization", ""))

    def _limited(self, request: Request, viewer: Viewer) -> Reply:
        resource = resource_of(request.path)
        free = request.path in FREE
        try:
            if not free:
                self._limits.charge(viewer.login, resource)
                self._limits.count_write(viewer.login, request)
            reply = self._handle(request, viewer)
        except ApiError as error:
            reply = error.reply()
        reply = _conditional(request, reply)
        if reply.status == 304 and not free:
            self._limits.refund(viewer.login, resource)
        reply.headers |= self._limits.headers(viewer.login, resource) | viewer.scopes()
        return reply

    def _handle(self, request: Request, viewer: Viewer) -> Reply:
        with self._state.lock:
            elsewhere = moves.sent_on(self._state, viewer, request)
            if elsewhere:
                return elsewhere
            request = moves.by_name(self._state, viewer, request)
            handler, params = find(request.method, request.path)
            call = Call(
                state=self._state,
                viewer=viewer,
                request=request,
                limits=self._limits,
                render=Render(self._state, viewer, request.api_base),
                params=params,
            )
            return handler(call)


def _operation(request: Request) -> str:
    if request.path != "/graphql":
        return ""
    try:
        document = parse(request.json().get("query", ""))
    except (ApiError, ValueError):
        return ""
    return document.name or ",".join(s.name for s in document.selections)


def _errors(reply: Reply) -> int:
    return len(reply.body.get("errors") or ()) if isinstance(reply.body, dict) else 0


def _conditional(request: Request, reply: Reply) -> Reply:
    """ETags differ from token to token, as on GitHub."""
    if request.method != "GET" or reply.status != 200:
        return reply
    who = request.headers.get("authorization", "").encode()
    tag = f'W/"{hashlib.sha256(who + reply.payload()).hexdigest()}"'
    asked = request.headers.get("if-none-match", "")
    if tag.removeprefix("W/") in asked:
        return Reply(status=304, headers=reply.headers | {"ETag": tag})
    reply.headers["ETag"] = tag
    return reply
