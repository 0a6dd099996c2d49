"""GitHub as a forge. See `cw.forges.forge`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cw.errors import BadInputError

if TYPE_CHECKING:
    from cw.forges.client import Client
    from cw.forges.forge import Forge, Key, Tokens
    from cw.settings import Settings


@dataclass(frozen=True, slots=True)
class GitHubForge:
    name: str = "github"

    def open(self, settings: Settings) -> Client:
        key = self.tokens(settings) or settings.github_token
        if key:
            return self.client(settings, key)
        raise BadInputError(
            "no GitHub token",
            hint="export GH_TOKEN=$(gh auth token), or set CW_GITHUB_APP_ID and"
            " CW_GITHUB_APP_KEY_FILE",
        )

    def client(self, settings: Settings, key: Key) -> Client:
        from cw.github.client import GitHub

        return GitHub(settings.github_api_url, key, pace=settings.github_pace)

    def tokens(self, settings: Settings) -> Tokens | None:
        if not settings.github_app_id:  # most: nothing is loaded for it
            return None
        from cw.github.app import app_tokens

        return app_tokens(settings)

    def titles(self, settings: Settings, repo: str) -> dict[int, str]:
        from cw.github.glance import open_issues

        return open_issues(settings, repo)


GITHUB: Forge = GitHubForge()
