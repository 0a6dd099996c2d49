"""Which forges there are: ours, and those of packages that are installed beside cw."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cw.registered import Registry

if TYPE_CHECKING:
    from cw.forges.forge import Forge
    from cw.settings import Settings

FORGES = Registry(
    what="forge",
    setting="github.forge",
    variable="CW_FORGE",
    built_in={"github": "cw.github.forge:GITHUB"},
    group="cw.forges",
)


def forge_of(settings: Settings) -> Forge:
    """The one that issues are on here. Raises BadInputError, or CwError when it does not load."""
    return _named(settings.forge)


@lru_cache
def _named(name: str) -> Forge:
    found: Forge = FORGES.load(name)
    return found
