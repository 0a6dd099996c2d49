"""What commands share: settings, and the store and GitHub, opened when first used."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any

from cw.settings import Settings, load_settings

if TYPE_CHECKING:
    from cw.github.client import GitHub
    from cw.store.store import Store


@dataclass(frozen=True)
class Cli:
    settings: Settings
    origin: dict[str, str]  # setting -> where its value came from
    environ: Mapping[str, str]

    @cached_property
    def store(self) -> Store:
        """Raises BrokerUnavailableError when no broker is known; connects at the first call."""
        from cw.broker import broker_url
        from cw.store.store import open_store

        return open_store(broker_url(self.settings))

    @cached_property
    def github(self) -> GitHub:
        """Raises BadInputError when there is no token."""
        from cw.github.client import GitHub, require_token

        token = require_token(self.settings.github_token)
        return GitHub(self.settings.github_api_url, token, pace=self.settings.github_pace)


def load_cli(environ: Mapping[str, str]) -> Cli:
    settings, origin = load_settings(environ)
    return Cli(settings, origin, environ)


def with_cli(function: Callable[..., None]) -> Callable[..., None]:
    """Hand a command its Cli. Settings are read after the options, so that --help needs none."""

    @wraps(function)
    def call(*args: Any, **options: Any) -> None:
        function(load_cli(os.environ), *args, **options)

    return call
