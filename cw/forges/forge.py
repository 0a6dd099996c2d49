"""What is registered: how one gets at a forge. What is asked there then: `cw.forges.client`."""

from __future__ import annotations

from typing import Protocol

from cw.forges.client import Client
from cw.settings import Settings


class Tokens(Protocol):
    """An App's: one for each repository, renewed in time. Shared by threads."""

    @property
    def app_id(self) -> str: ...

    def token(self, repo: str) -> str:
        """Good for a quarter of an hour at least. Raises GitHubRefusedError (not installed there,
        too few permissions), GitHubUnavailableError.
        """

    def token_with(self, repo: str, right: str) -> str:
        """One that may write to this as well, in the forge's word, and that no agent is given.
        Raises the same.
        """

    def login(self) -> str:
        """Whose name stands under what the App does. Raises the same."""


Key = str | Tokens


class Forge(Protocol):
    """Loaded while somebody types, so it imports little."""

    @property
    def name(self) -> str:
        """As the setting `github.forge` has it."""

    def open(self, settings: Settings) -> Client:
        """As this machine's own dispatches see it. Raises BadInputError when there is no way in."""

    def client(self, settings: Settings, key: Key) -> Client:
        """With this key. Asks nothing yet. It spaces its writes: one for all who share a key."""

    def tokens(self, settings: Settings) -> Tokens | None:
        """None when no App is configured. Raises BadInputError for a key that cannot be used."""

    def titles(self, settings: Settings, repo: str) -> dict[int, str]:
        """Of open issues by number, the newest first, within a second or two. For somebody who is
        in the middle of typing: may raise anything.
        """
