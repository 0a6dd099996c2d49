"""What code asks for by name, in its bytecode."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator
from types import CodeType, ModuleType
from typing import NamedTuple

_GLOBAL = {"LOAD_GLOBAL", "LOAD_NAME"}
_ATTRIBUTE = {"LOAD_ATTR", "LOAD_METHOD"}


class Lookups(NamedTuple):
    """`of_modules`: a module's name, and one that it is asked for. `attributes`: of anything."""

    of_modules: set[tuple[str, str]]
    attributes: set[str]


def lookups(modules: list[ModuleType]) -> Lookups:
    """Of their functions: what is only asked for while they are loaded is not among these."""
    found = Lookups(set(), set())
    for module in modules:
        code = module.__spec__.loader.get_code(module.__name__)  # type: ignore[union-attr]
        for one in codes(code):
            if one.co_flags & inspect.CO_OPTIMIZED:  # no module's and no class's own
                _look(module, one, found)
    return found


def imported(source: str) -> set[tuple[str, str]]:
    """Modules and names of `from M import name`, wherever that stands."""
    return {one for code in codes(compile(source, "", "exec")) for one in _from(code)}


def codes(whole: CodeType) -> Iterator[CodeType]:
    yield whole
    for one in whole.co_consts:
        if isinstance(one, CodeType):
            yield from codes(one)


def _look(module: ModuleType, code: CodeType, found: Lookups) -> None:
    found.of_modules.update(_from(code))
    last: object = None  # what lies on the stack, where that is a module
    for one in dis.get_instructions(code):
        if one.opname in _GLOBAL:
            found.of_modules.add((module.__name__, one.argval))
            last = vars(module).get(one.argval)
        elif one.opname in _ATTRIBUTE:
            found.attributes.add(one.argval)
            if isinstance(last, ModuleType):
                found.of_modules.add((last.__name__, one.argval))
            last = vars(last).get(one.argval) if isinstance(last, ModuleType) else None
        else:
            last = None


def _from(code: CodeType) -> Iterator[tuple[str, str]]:
    module = ""
    for one in dis.get_instructions(code):
        if one.opname == "IMPORT_NAME":
            module = one.argval
        elif one.opname == "IMPORT_FROM":
            yield module, one.argval
