"""The states of tasks and of their pull requests, and what may follow what: from the transition
tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from bench.architecture import svg
from cw.pulls.states import TRANSITIONS as PULLS
from cw.pulls.states import PullMove, PullState
from cw.states import TRANSITIONS, Move, State

_LEFT = 130
_STEP = 120
_NARROW = 100
_ROW = 30
_TOP = 70

# A move, the states it may start in, and the one it ends in; None: there is no record.
Row = tuple[str, Collection[str], str | None]


def draw(_root: Path) -> str:
    rows = [(move.value, *TRANSITIONS[move]) for move in Move]
    return _picture("The states of a task", list(State), rows, _STEP)


def draw_pulls(_root: Path) -> str:
    rows = [(move.value, *PULLS[move]) for move in PullMove]
    return _picture("The states of a pull request", list(PullState), rows, _NARROW)


def _picture(title: str, states: Sequence[str], rows: Sequence[Row], step: int) -> str:
    wide, deep = _LEFT + step * (len(states) + 1), _TOP + _ROW * len(rows)
    return svg.picture(wide, deep, title, [*_parts(states, rows, step, deep)])


def _parts(states: Sequence[str], rows: Sequence[Row], step: int, deep: float) -> Iterator[str]:
    yield svg.words(
        20,
        28,
        "What may follow what: from a circle to the arrow; a circle alone: the state stays",
        size=16,
    )
    for at, name in enumerate([*states, "no record"]):
        x = _LEFT + step * at + 40
        yield svg.words(x, _TOP - 16, name, anchor="middle")
        yield (
            f'<line x1="{x:g}" y1="{_TOP - 8}" x2="{x:g}" y2="{deep - 10:g}"'
            f' stroke="{svg.LINE}" stroke-width="2"/>'
        )
    for row, (name, before, after) in enumerate(rows):
        top = _TOP + row * _ROW + 10
        yield svg.words(20, top + 4, name)
        places = [_LEFT + step * _column(states, state) + 40 for state in (*before, after)]
        yield from _move(top, sorted(places[:-1]) or [_LEFT + step * len(states) + 40], places[-1])


def _move(top: float, begins: Sequence[float], end: float) -> Iterator[str]:
    for begin in begins:
        if begin != end:
            aside = 6 if end > begin else -6
            yield svg.arrow((begin + aside, top), (end - aside / 3, top))
    yield from (svg.dot(begin, top) for begin in begins)


def _column(states: Sequence[str], state: str | None) -> int:
    return len(states) if state is None else list(states).index(state)
