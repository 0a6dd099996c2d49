"""What is chosen by name: ours, and what packages that are installed beside cw register."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

from cw.errors import BadInputError, CwError


@dataclass(frozen=True, kw_only=True, slots=True)
class Registry:
    """`what`: in words. `setting`: as it is typed; `variable`: its other name. `built_in`: name to
    `package.module:object`. `group`: of entry points, each such an object by its name.
    """

    what: str
    setting: str
    variable: str
    built_in: Mapping[str, str]
    group: str

    def load(self, name: str) -> Any:
        """Raises BadInputError for a name that nobody registers, CwError for what does not load."""
        where = self.built_in.get(name) or self._outside(name)
        try:
            return resolve_name(where)
        except (ImportError, AttributeError, ValueError) as error:
            raise CwError(
                f"the {self.what} {name} cannot be loaded: {error}",
                hint=f"Install its package again, or set {self.variable} to one of"
                f" {', '.join(self.built_in)}",
            ) from error

    def _outside(self, name: str) -> str:
        """Only asked for what is not ours: to look through what is installed takes its time."""
        from importlib.metadata import entry_points

        found = {entry.name: entry.value for entry in entry_points(group=self.group)}
        if name not in found:
            known = ", ".join(sorted({*self.built_in, *found}))
            raise BadInputError(
                f"{self.setting}: {name!r} is no {self.what} here", hint=f"Known: {known}"
            )
        return found[name]
