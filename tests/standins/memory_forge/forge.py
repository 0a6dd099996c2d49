"""What is registered. Who asks with the same URL sees the same. See `cw.forges.forge`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from cw.errors import BadInputError
from cw.forges.client import Client
from cw.forges.forge import Forge, Key, Tokens
from cw.settings import Settings
from tests.standins.memory_forge.client import MemoryClient
from tests.standins.memory_forge.shelf import Shelf


@dataclass(frozen=True)
class MemoryForge:
    name: str = "memory"
    shelves: dict[str, Shelf] = field(default_factory=lambda: defaultdict(Shelf))

    def open(self, settings: Settings) -> Client:
        if not settings.github_token:
            raise BadInputError("no token", hint="Any will do")
        return self.client(settings, settings.github_token)

    def client(self, settings: Settings, key: Key) -> Client:
        return MemoryClient(self.shelves[settings.github_api_url])

    def tokens(self, settings: Settings) -> Tokens | None:
        return None

    def titles(self, settings: Settings, repo: str) -> dict[int, str]:
        found = self.shelves[settings.github_api_url].issues.items()
        return {number: kept.title for (name, number), kept in found if name == repo}


MEMORY: Forge = MemoryForge()
