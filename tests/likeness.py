"""Whether one function can be called as another one is."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from inspect import Parameter, Signature
from typing import Any

_PLACED = {Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD}

Call = tuple[list[None], dict[str, None]]  # arguments by place and by name


def unlike(old: object, new: object) -> str:
    """Why `new` fails where `old` is called; empty if it does not, or one of them is none."""
    was, now = _signature(old), _signature(new)
    if was is None or now is None:
        return ""
    for calls in _calls(was):
        if not any(_binds(now, *call) for call in calls):
            return f"{now} is not called as {was} is"
    return ""


def _calls(was: Signature) -> Iterator[list[Call]]:
    """With as little as it takes, and with all that it takes: any of these ways will do."""
    given = was.parameters.values()
    placed = [one for one in given if one.kind in _PLACED]
    named = dict.fromkeys(one.name for one in given if one.kind is Parameter.KEYWORD_ONLY)
    least = [one for one in placed if one.default is Parameter.empty]
    needed = {one: None for one in named if was.parameters[one].default is Parameter.empty}
    others = dict.fromkeys(one.name for one in placed if one not in least)
    yield [([None] * len(least), needed)]
    yield [([None] * len(placed), named), ([None] * len(least), named | others)]


def _binds(now: Signature, placed: list[None], named: dict[str, None]) -> bool:
    try:
        now.bind(*placed, **named)
    except TypeError:
        return False
    return True


def _signature(one: Any) -> Signature | None:
    bound = isinstance(one, (staticmethod, classmethod))
    function = one.__get__(None, object) if bound else one
    if isinstance(function, type) or not callable(function):
        return None
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # written in C
        return None
