"""Which repositories assign and reconcile look after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cw.errors import BadInputError
from cw.repos import parse_repo

if TYPE_CHECKING:
    from cw.forges.reading import Reader
    from cw.settings import Settings


def is_configured(settings: Settings) -> bool:
    return bool(settings.assign_repos or settings.assign_owner)


def named_repos(settings: Settings) -> list[str]:
    """Those of assign.repos. Raises BadInputError for what is not on GitHub."""
    names = []
    for text in settings.assign_repos:
        repo = parse_repo(text, github_url=settings.github_url, cwd=Path.cwd())
        if not repo.github:
            raise BadInputError(
                f"assign.repos: {text} is not on GitHub", hint="Use names such as acme/app"
            )
        names.append(repo.name)
    return names


def repos(settings: Settings, reader: Reader) -> list[str]:
    """All of them, each once."""
    names = named_repos(settings)
    if settings.assign_owner:
        names += reader.repos_of(settings.assign_owner)
    return list({name.lower(): name for name in reversed(names)}.values())[::-1]


def require_configured(settings: Settings) -> None:
    """Raises BadInputError that says how to configure it."""
    if not is_configured(settings):
        raise BadInputError(
            "no repositories to assign from are configured",
            hint="For example: cw config set assign.repos acme/app acme/site; or all of an owner's:"
            " cw config set assign.owner acme",
        )
    named_repos(settings)
