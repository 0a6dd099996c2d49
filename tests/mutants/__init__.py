"""Guards that can be taken out, each with the test that has to go red without it.

A file for each subject beside this one has a table `MUTANTS`: name to `Mutant`. With
`CW_TEST_MUTANT=name` in pytest's environment that guard is gone, in pytest's own process, in
the hosts and installations that tests start, and in typed commands. Product code has no such
switch.
"""

from __future__ import annotations

import os
import pkgutil
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

VARIABLE = "CW_TEST_MUTANT"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`take_out` changes the code that is loaded; `test` is pytest's name of what notices."""

    test: str
    take_out: Callable[[], None]


@cache
def mutants() -> dict[str, Mutant]:
    """All of them, by name. Raises ValueError when two have the same."""
    found: dict[str, Mutant] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith(("test_", "host")):
            continue
        table: dict[str, Mutant] = import_module(f"{__name__}.{module.name}").MUTANTS
        if twice := found.keys() & table.keys():
            raise ValueError(f"two mutants are called {min(twice)}")
        found |= table
    return found


def take_out() -> None:
    """The guard that the environment names, if any."""
    if name := os.environ.get(VARIABLE):
        mutants()[name].take_out()


def rewrite(program: ModuleType, guard: str, other: str) -> None:
    """Of one that is started as the file it is, which no change of what is loaded reaches: the copy
    that is started from now on has `other` in the place of `guard`. Raises ValueError when it has
    no such guard.
    """
    path = Path(str(program.__file__))
    text, tree = path.read_text("utf-8"), Path(__file__).parents[2]
    if text.count(guard) != 1:
        raise ValueError(f"{path.name} does not have once: {guard}")
    root = Path(tempfile.mkdtemp(prefix="cw-mutant-"))
    for package in ("cw", "workerhost"):  # with what it takes from beside it
        shutil.copytree(tree / package, root / package)
    copy = root / path.relative_to(tree)
    copy.write_text(text.replace(guard, other), "utf-8")
    program.__file__ = str(copy)


def host_module() -> str:
    """What `python -m` starts as a host: the product's own, unless a guard is to be taken out."""
    return "tests.mutants.host" if os.environ.get(VARIABLE) else "workerhost"


def flower_module() -> str:
    """The same for Flower."""
    return "tests.mutants.host_flower" if os.environ.get(VARIABLE) else "cw.services.flower"


def startup() -> dict[str, str]:
    """For the environment of what is started as it is installed, and of all that this starts."""
    folder = Path(__file__).with_name("startup")
    return kept_variable() and kept_variable() | {"PYTHONPATH": str(folder)}


def kept_variable() -> dict[str, str]:
    """For the environment of such a host."""
    return {VARIABLE: name} if (name := os.environ.get(VARIABLE)) else {}
