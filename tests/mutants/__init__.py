"""Guards that can be taken out, each with the test that has to go red without it.

A file for each subject beside this one has a table `MUTANTS`: name to `Mutant`. With
`CW_TEST_MUTANT=name` in pytest's environment that guard is gone, in pytest's own process, in
the hosts that tests start, and in typed commands. Product code has no such switch.
"""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

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


def host_module() -> str:
    """What `python -m` starts as a host: the product's own, unless a guard is to be taken out."""
    return "tests.mutants.host" if os.environ.get(VARIABLE) else "workerhost"


def flower_module() -> str:
    """The same for Flower."""
    return "tests.mutants.host_flower" if os.environ.get(VARIABLE) else "cw.services.flower"


def kept_variable() -> dict[str, str]:
    """For the environment of such a host."""
    return {VARIABLE: name} if (name := os.environ.get(VARIABLE)) else {}
