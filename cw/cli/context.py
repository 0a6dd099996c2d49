"""What commands share: settings, and the store and GitHub, opened when first used."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any

import click

from cw.errors import BrokerUnavailableError, CwError
from cw.settings import Settings, load_settings

STEERING = frozenset(
    {
        "assign",
        "cancel",
        "down",
        "drain",
        "init",
        "pause",
        "reconcile",
        "refresh",
        "remove",
        "reset",
        "restart",
        "resume",
        "stop",
    }
)

# What changes nothing gives up sooner.
LOOKING = frozenset(
    {
        "audit",
        "diff",
        "doctor",
        "history",
        "hosts",
        "inspect",
        "logs",
        "queue",
        "show",
        "stats",
        "status",
        "todos",
        "watch",
    }
)
_LOOK_SECONDS = 3.0
_TOLD_SECONDS = 3  # between two words about a host that is waited for

if TYPE_CHECKING:
    from celery import Celery

    from cw.audit import Audit
    from cw.forges.client import Client
    from cw.operations.control.shared import Control
    from cw.operations.passes.context import PassContext
    from cw.programs.program import AgentProgram
    from cw.store.store import Store


@dataclass(frozen=True)
class Cli:
    settings: Settings
    origin: dict[str, str]  # setting -> where its value came from
    environ: Mapping[str, str]

    @cached_property
    def store(self) -> Store:
        """Raises BrokerUnavailableError when no broker is known; connects at the first call."""
        from cw.broker.address import broker_url
        from cw.cli.views.render import note
        from cw.keyring import load_keyring
        from cw.store.store import open_store

        url = broker_url(self.settings)  # refused before there is a key
        typed = click.get_current_context(silent=True)  # None: whoever opens it is no command
        patience = _LOOK_SECONDS if typed and typed.info_name in LOOKING else None
        store = open_store(url, load_keyring(self.settings), patience=patience)
        if sys.stderr and sys.stderr.isatty():
            store.connection.slow = lambda: note("waiting for the broker …")
            store.replies.slow = _waiting
        store.connection.unreadable.tell = lambda record: note(f"warning: {record.words()}")
        return store

    def short(self, text: str) -> str:
        """What a person is told: ids of tasks in it as short as they may be typed."""
        from cw.operations.fleet.references import shorten

        return shorten(self.store, text)

    @cached_property
    def program(self) -> AgentProgram:
        """What agents are here."""
        from cw.programs.known import program_of

        return program_of(self.settings)

    @cached_property
    def github(self) -> Client:
        """Raises BadInputError when there is no token."""
        from cw.forges.known import forge_of

        return forge_of(self.settings).open(self.settings)

    @cached_property
    def app(self) -> Celery:
        """What messages are sent with. Raises BrokerUnavailableError when no broker is known."""
        from cw.broker.app import make_app

        return make_app(self.settings)

    @cached_property
    def control(self) -> Control:
        """What the verbs that steer workers need."""
        from cw.broker.app import send_ask, send_hint
        from cw.operations.control.shared import Control

        return Control(
            store=self.store,
            send=lambda host, request, expires: send_ask(self.app, host, request, expires),
            hint=lambda spec, worker: send_hint(self.app, spec, worker),
            by=self.whoami,
        )

    @cached_property
    def ways(self) -> PassContext:
        """What a pass over GitHub and the records needs."""
        from cw.broker.app import send_hint
        from cw.operations.passes.context import PassContext

        return PassContext(
            settings=self.settings,
            store=self.store,
            github=self.github,
            hint=lambda spec: send_hint(self.app, spec, spec.wanted_worker),
            by=self.whoami,
        )

    @cached_property
    def audit(self) -> Audit:
        """Where what was done here is written down."""
        from cw.audit import Audit, audit_file

        host = self.settings.host_name
        return Audit(audit_file(self.settings), lambda head: self.store.audit.keep(host, head))

    @cached_property
    def whoami(self) -> str:
        """Who types, as records show it."""
        import getpass

        try:
            return f"{getpass.getuser()}@{self.settings.host_name}"
        except (KeyError, OSError):  # a user id without a name, as containers have
            return self.settings.host_name


def load_cli(environ: Mapping[str, str]) -> Cli:
    """Raises BadInputError, or CwError for an agent program or a forge that does not load."""
    from cw.cli.views.render import note

    settings, origin = load_settings(environ, warn=note)
    if settings.agent_program != "claude":  # whose name needs no look at what is installed
        from cw.programs.known import program_of

        program_of(settings)
    if settings.forge != "github":
        from cw.forges.known import forge_of

        forge_of(settings)
    return Cli(settings, origin, environ)


def with_cli(function: Callable[..., None]) -> Callable[..., None]:
    """Hand a command its Cli. Settings are read after the options, so that --help needs none."""

    @wraps(function)
    def call(*args: Any, **options: Any) -> None:
        cli = load_cli(os.environ)
        with _noted(cli), _short_ids(cli):
            function(cli, *args, **options)

    return call


@contextmanager
def _short_ids(cli: Cli) -> Iterator[None]:
    """In what to type after an error, too. The records are asked only where they were before."""
    try:
        yield
    except BrokerUnavailableError:
        raise
    except CwError as error:
        if "store" in vars(cli):
            with suppress(CwError):
                error.hint = cli.short(error.hint)
        raise


def _waiting(host: str, seconds: float) -> None:
    """Once a second, of which the first and each third is told."""
    from cw.cli.views.render import note

    if int(seconds) % _TOLD_SECONDS == 1:
        note(f"waiting for host {host} ({seconds:.0f}s) …")


def _noted(cli: Cli) -> AbstractContextManager[None]:
    """Commands that steer are written down, without what a prompt says."""
    context = click.get_current_context()
    if context.info_name not in STEERING:
        return nullcontext()
    plain = {
        name: _typed(value)
        for name, value in context.params.items()
        if value not in (None, False, "", ()) and name not in {"prompt", "as_json"}
    }
    return cli.audit.after(str(context.info_name), cli.whoami, **plain)


def _typed(value: object) -> str:
    """As a person would write it."""
    if value is True:
        return "yes"
    return " ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
