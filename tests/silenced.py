"""`python -m tests.silenced`: which mutants take nothing out, by name, and why.

What a mutant puts in the place of a guard has to be where code looks that up. So everything is
loaded first: whoever has `from M import name` has its object by then, and another one in `M`
changes nothing for it. Then each guard is taken out, what is another object than before is found,
and put back. A function in the place of another one has to take what that takes: else each call
fails, and a test is red without telling anything.
"""

from __future__ import annotations

import json
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from operator import is_not
from pathlib import Path
from types import ModuleType
from typing import Any

import cw
import workerhost
from bench.chaos.mutants import MUTANTS as OF_THE_GATE
from tests.likeness import unlike
from tests.lookups import Lookups, imported, lookups
from tests.mutants import mutants

ROOT = Path(__file__).parents[1]
_OURS = ("cw", "workerhost", "bench")
_NONE = object()


@dataclass(frozen=True, slots=True)
class Place:
    """A module, a class or a table: what it is called, and what its names were. `ours`: all that
    looks something up there is known.
    """

    owner: Any
    title: str
    had: Mapping[str, Any]
    ours: bool = True

    def changed(self) -> list[str]:
        has = _names(self.owner)
        same = len(has) == len(self.had) and not any(map(is_not, has.values(), self.had.values()))
        return [] if same else [one for one in has if has[one] is not self.had.get(one, _NONE)]

    def undo(self, name: str) -> None:
        old = self.had.get(name, _NONE)
        if isinstance(self.owner, dict):
            self.owner[name] = old
        elif old is _NONE:
            delattr(self.owner, name)
        else:
            setattr(self.owner, name, old)

    def silent(self, name: str, asked: Lookups) -> str:
        """Why the other object of this name changes nothing, or breaks more; empty if it may."""
        old = self.had.get(name, _inherited(self.owner, name))
        if old is _NONE:
            return f"{self.title} has no {name}"
        if why := unlike(old, _names(self.owner)[name]):
            return f"{name} of {self.title}: {why}"
        if not self.ours or isinstance(self.owner, dict):
            return ""
        module = isinstance(self.owner, ModuleType)
        found = (self.title, name) in asked.of_modules if module else name in asked.attributes
        return "" if found else f"nothing asks {self.title} for {name} once all is loaded"


def silenced() -> dict[str, str]:
    modules = list(_loaded())
    asked = lookups(modules)
    everything = list(_places())
    places = [
        [one for one in everything if one.ours],
        [one for one in everything if not one.ours],
    ]
    found = {
        name: _why(one.take_out, places, _seen_by(one.test, asked))
        for name, one in mutants().items()
    } | {f"gate: {name}": _why(one.take_out, places, asked) for name, one in OF_THE_GATE.items()}
    return {name: why for name, why in found.items() if why}


def _why(take_out: Callable[[], None], places: list[list[Place]], asked: Lookups) -> str:
    """`places`: those that are looked at first, and others if it changed none of these."""
    take_out()
    for some in places:
        changes = [(place, name) for place in some for name in place.changed()]
        if changes:
            break
    said = [place.silent(name, asked) for place, name in changes]
    for place, name in changes:
        place.undo(name)
    return "; ".join(filter(None, said)) if changes else "it changes nothing"


def _seen_by(test: str, asked: Lookups) -> Lookups:
    """A guard is taken out before a test is loaded: what that imports is what it gets."""
    return asked._replace(of_modules=asked.of_modules | _imports(test.partition("::")[0]))


@cache
def _imports(file: str) -> set[tuple[str, str]]:
    return imported((ROOT / file).read_text("utf-8"))


def _loaded() -> Iterator[ModuleType]:
    mutants()
    for package in (cw, workerhost):
        for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if one.name != "cw.__main__":  # is a program as soon as it is loaded
                import_module(one.name)
    for name, module in sorted(sys.modules.items()):
        if _is_ours(name) and not name.startswith("bench.chaos.mutants"):
            yield module


def _places() -> Iterator[Place]:
    for title, module in list(sys.modules.items()):
        if not isinstance(module, ModuleType) or title.startswith(("tests.", __name__)):
            continue
        ours = _is_ours(title)
        yield Place(module, title, _names(module), ours)
        for name, value in list(vars(module).items()):
            own = isinstance(value, type) and value.__module__ == title
            if own or (ours and isinstance(value, dict) and not name.startswith("__")):
                yield Place(value, f"{title}.{name}", _names(value), ours)


def _names(owner: Any) -> dict[str, Any]:
    return dict(owner) if isinstance(owner, dict) else dict(vars(owner))


def _inherited(owner: object, name: str) -> object:
    classes = owner.__mro__[1:] if isinstance(owner, type) else ()
    return next((vars(one)[name] for one in classes if name in vars(one)), _NONE)


def _is_ours(title: str) -> bool:
    return title.split(".", maxsplit=1)[0] in _OURS


if __name__ == "__main__":
    json.dump(silenced(), sys.stdout)
