"""What commands share: settings, and the store and GitHub, opened when first used."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any

from cw.settings import Settings, load_settings

if TYPE_CHECKING:
    from celery import Celery

    from cw.github.client import GitHub
    from cw.operations.control import Control
    from cw.store.store import Store


@dataclass(frozen=True)
class Cli:
    settings: Settings
    origin: dict[str, str]  # setting -> where its value came from
    environ: Mapping[str, str]

    @cached_property
    def store(self) -> Store:
        """Raises BrokerUnavailableError when no broker is known; connects at the first call."""
        from cw.address import broker_url
        from cw.keyring import load_keyring
        from cw.store.store import open_store

        return open_store(broker_url(self.settings), load_keyring(self.settings))

    @cached_property
    def github(self) -> GitHub:
        """Raises BadInputError when there is no token."""
        from cw.github.client import open_github

        return open_github(self.settings)

    @cached_property
    def app(self) -> Celery:
        """What messages are sent with. Raises BrokerUnavailableError when no broker is known."""
        from cw.broker import make_app

        return make_app(self.settings)

    @cached_property
    def control(self) -> Control:
        """What the verbs that steer workers need."""
        from cw.broker import send_ask, send_hint
        from cw.operations.control import Control

        return Control(
            store=self.store,
            send=lambda host, request, expires: send_ask(self.app, host, request, expires),
            hint=lambda spec, worker: send_hint(self.app, spec, worker),
            by=self.whoami,
        )

    @cached_property
    def whoami(self) -> str:
        """Who types, as records show it."""
        import getpass

        try:
            return f"{getpass.getuser()}@{self.settings.host_name}"
        except (KeyError, OSError):  # a user id without a name, as containers have
            return self.settings.host_name


def load_cli(environ: Mapping[str, str]) -> Cli:
    settings, origin = load_settings(environ)
    return Cli(settings, origin, environ)


def with_cli(function: Callable[..., None]) -> Callable[..., None]:
    """Hand a command its Cli. Settings are read after the options, so that --help needs none."""

    @wraps(function)
    def call(*args: Any, **options: Any) -> None:
        function(load_cli(os.environ), *args, **options)

    return call
