"""Who gets which GitHub token: the host, its git, and an agent while it runs."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cw.credentials.agentenv import own_token
from cw.errors import CwError
from cw.forges.known import forge_of
from cw.homes import journal
from cw.homes.files import write_private
from cw.homes.layout import Home
from cw.homes.owner import make_folders
from cw.settings import Settings
from workerhost.walls.isolation import Wall

if TYPE_CHECKING:
    from cw.forges.forge import Key, Tokens

log = logging.getLogger("workerhost.access")


@dataclass(frozen=True, slots=True)
class Access:
    """`app` None: tokens are those of the host's environment and of the workers' own files."""

    settings: Settings
    app: Tokens | None = None

    def words(self) -> str:
        app = f", App {self.app.app_id}" if self.app else ""
        return f"{self.settings.github_access}{app}"

    def key(self, home: Home | None) -> Key:
        """For GitHub's API: the App, else the host's token, else the worker's. Empty: none."""
        return self.app or self.settings.github_token or own_token(home)

    def token(self, home: Home, repo: str) -> str:
        """For git: of the App, else the worker's own, else the host's.

        Raises what `Tokens.token` raises.
        """
        return self.app.token(repo) if self.app else own_token(home) or self.settings.github_token

    def lend_again(self, home: Home) -> None:
        """Before what was lent to a run ends."""
        if self.app is None or not home.github.is_dir():
            return
        book = journal.read(home)
        try:
            if book:
                self.lend(home, book.current.repo)
            if not home.journal.exists():  # its run ended meanwhile, and was lent this all the same
                shutil.rmtree(home.github, ignore_errors=True)
        except CwError as error:
            log.warning("token not renewed worker=%s: %s", home.id, error)
        except OSError:  # the run ended meanwhile
            return

    def lend(self, home: Home, repo: str) -> None:
        """Put a token of the App where the agent of this HOME reads it. May be repeated any time;
        does nothing for agents that have theirs in the environment, or none.
        """
        if self.app is None or self.settings.github_access == "host":
            return
        token = self.app.token(repo)
        make_folders(home.github)
        host = urlsplit(self.settings.github_url).hostname
        login = f"{host}:\n    oauth_token: {token}\n    user: x-access-token\n"
        for name, text in (
            ("config.yml", 'version: "1"\n'),  # else gh wants to rewrite its configuration
            ("hosts.yml", login + "    git_protocol: https\n"),
            ("token", token),
        ):
            path = home.github / name
            if not path.is_file() or path.read_bytes() != text.encode():
                write_private(path, text.encode())


def open_access(settings: Settings) -> Access:
    """Raises BadInputError for an App whose key cannot be used."""
    return Access(settings, forge_of(settings).tokens(settings))


def check_access(settings: Settings, wall: Wall) -> None:
    """Raises CwError when what was promised cannot be kept here."""
    if settings.github_access == "host" and not wall.outer:
        raise CwError(
            f"CW_GITHUB_ACCESS=host needs bubblewrap: {wall.warning}",
            hint="cw doctor says how to get it; without it an agent can read the host's token",
        )
