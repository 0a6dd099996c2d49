"""The host's GitHub clients: one a token, or App, however many workers share it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cw.forges.known import forge_of
from cw.homes.layout import Home
from cw.settings import Settings
from cw.store.github_cache import Budget, GitHubCache
from workerhost.github.token_access import Access

if TYPE_CHECKING:
    from cw.forges.client import Client
    from cw.forges.forge import Key


class Clients:
    """`homes`: the host's, as they come and go."""

    def __init__(self, settings: Settings, access: Access, homes: Mapping[str, Home]) -> None:
        self._settings = settings
        self._access = access
        self._homes = homes
        self._made: dict[Key, Client] = {}
        self._told: dict[str, Budget] = {}

    def of(self, worker: str) -> Client | None:
        """A client spaces its writes, so there is one for all who share a token."""
        key = self._access.key(self._homes.get(worker))
        if not key:
            return None
        if key not in self._made:
            made = forge_of(self._settings).client(self._settings, key)
            self._made.setdefault(key, made)
        return self._made[key]

    def tell_budgets(self, cache: GitHubCache) -> None:
        """What GitHub said of them last, if that is news."""
        for client in list(self._made.values()):
            heard = client.heard()
            if heard is None:
                continue
            budget = Budget(*heard)
            if self._told.get(client.token_mark) != budget:
                cache.keep_budget(client.token_mark, budget)
                self._told[client.token_mark] = budget
