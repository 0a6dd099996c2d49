"""Which forges there are: ours, and those of packages that are installed beside cw."""

from __future__ import annotations

from functools import lru_cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from cw.errors import BadInputError, CwError

if TYPE_CHECKING:
    from cw.forges.forge import Forge
    from cw.settings import Settings

BUILT_IN = {"github": "cw.github.forge:GITHUB"}
GROUP = "cw.forges"  # of entry points, each a Forge by its name


def forge_of(settings: Settings) -> Forge:
    """The one that issues are on here. Raises BadInputError, or CwError when it does not load."""
    return _named(settings.forge)


@lru_cache
def _named(name: str) -> Forge:
    where = BUILT_IN.get(name) or _outside(name)
    try:
        found: Forge = resolve_name(where)
    except (ImportError, AttributeError, ValueError) as error:
        raise CwError(
            f"the forge {name} cannot be loaded: {error}",
            hint=f"Install its package again, or set CW_FORGE to one of {', '.join(BUILT_IN)}",
        ) from error
    return found


def _outside(name: str) -> str:
    """Only asked for what is not ours: to look through what is installed takes its time."""
    from importlib.metadata import entry_points

    found = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    if name not in found:
        known = ", ".join(sorted({*BUILT_IN, *found}))
        raise BadInputError(f"github.forge: {name!r} is no forge here", hint=f"Known: {known}")
    return found[name]
