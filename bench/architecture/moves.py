"""The states of a task and what may follow what, from the transition table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.architecture import svg
from cw.states import TRANSITIONS, Move, State

_LEFT = 130
_STEP = 120
_ROW = 30
_TOP = 70
_NOWHERE = len(State)  # the column of tasks without a record


def draw(_root: Path) -> str:
    wide, deep = _LEFT + _STEP * (len(State) + 1), _TOP + _ROW * len(Move)
    return svg.picture(wide, deep, "The states of a task", [*_parts(deep)])


def _parts(deep: float) -> Iterator[str]:
    yield svg.words(
        20,
        28,
        "What may follow what: from a circle to the arrow; a circle alone: the state stays",
        size=16,
    )
    for at, name in enumerate([*(one.value for one in State), "no record"]):
        yield svg.words(_at(at), _TOP - 16, name, anchor="middle")
        yield (
            f'<line x1="{_at(at):g}" y1="{_TOP - 8}" x2="{_at(at):g}" y2="{deep - 10:g}"'
            f' stroke="{svg.LINE}" stroke-width="2"/>'
        )
    for row, move in enumerate(Move):
        yield from _move(_TOP + row * _ROW + 10, move)


def _move(top: float, move: Move) -> Iterator[str]:
    yield svg.words(20, top + 4, move.value)
    before, after = TRANSITIONS[move]
    begins = sorted(_column(one) for one in before) or [_NOWHERE]
    end = _column(after)
    for begin in begins:
        if begin != end:
            aside = 6 if end > begin else -6
            yield svg.arrow((_at(begin) + aside, top), (_at(end) - aside / 3, top))
    yield from (svg.dot(_at(begin), top) for begin in begins)


def _column(state: State | None) -> int:
    return _NOWHERE if state is None else list(State).index(state)


def _at(column: int) -> float:
    return _LEFT + _STEP * column + 40
