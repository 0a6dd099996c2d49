"""The rooms of both packages, layer above layer, as the contracts of imports have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

from bench.architecture import svg
from bench.architecture.contracts import Layers, all_layers, in_no_layer, other_rules, started

_WIDTH = 440  # of a column
_GAP = 90
_ROW = 40
_TOP = 86
_MARGIN = 20
_CHARACTERS = 240  # of a line of notes
_COLUMNS = (
    ("workerhost", "the host's side", svg.HOST),
    ("cw", "control side and shared core", svg.CORE),
    ("cw.operations", "by subject", svg.CORE),
)


def draw(root: Path) -> str:
    layers = all_layers(root)
    wide = 2 * _MARGIN + len(_COLUMNS) * _WIDTH + (len(_COLUMNS) - 1) * _GAP
    deep = _TOP + _ROW * max(len(layers[name].rows) for name, _, _ in _COLUMNS)
    notes = [line for note in _notes(root) for line in wrap(note, _CHARACTERS)]
    parts = [svg.words(_MARGIN, 28, "What stands higher may import what stands lower", size=16)]
    for at, (name, what, fill) in enumerate(_COLUMNS):
        parts += _column(_left(at), layers[name], f"{name}: {what}", fill)
    parts += _between(root, layers, deep)
    parts += [svg.words(_MARGIN, deep + 34 + 20 * at, one) for at, one in enumerate(notes)]
    return svg.picture(wide, deep + 34 + 20 * len(notes), "The rooms of Claude Workers", parts)


def _left(column: int) -> float:
    return _MARGIN + column * (_WIDTH + _GAP)


def _column(left: float, layers: Layers, title: str, fill: str) -> Iterator[str]:
    yield svg.words(left, _TOP - 22, title, size=14)
    for at, row in enumerate(layers.rows):
        width = (_WIDTH - 8 * (len(row) - 1)) / len(row)
        top = _TOP + at * _ROW
        for place, name in enumerate(row):
            start = left + place * (width + 8)
            size = 13 if len(name) * 8 < width else 11
            yield svg.box(start, top, width, _ROW - 12, fill)
            yield svg.words(start + width / 2, top + 19, name, size=size, anchor="middle")


def _between(root: Path, layers: dict[str, Layers], deep: float) -> Iterator[str]:
    """From package to package: imports go right; programs are started to the left."""
    right, left = _left(1) - 6, _left(0) + _WIDTH + 6
    middle = (left + right) / 2
    height = (_TOP + deep) / 2
    yield svg.arrow((left, height), (right, height))
    yield svg.words(middle, height - 8, "imports", anchor="middle", size=12)
    for at, name in enumerate(started(root)):
        top = _TOP + 14 + at * _ROW * 1.6
        yield svg.arrow((right, top), (left, top), dashed=True)
        yield svg.words(middle, top + 15, "python -m", anchor="middle", size=10)
        yield svg.words(middle, top + 27, name, anchor="middle", size=10)
    row = next(at for at, one in enumerate(layers["cw"].rows) if "operations" in one)
    top = _TOP + row * _ROW + 14
    yield svg.arrow((_left(1) + _WIDTH + 6, top), (_left(2) - 6, top), dashed=True)
    yield svg.words(_left(1) + _WIDTH + _GAP / 2, top - 8, "looked into", anchor="middle", size=11)


def _notes(root: Path) -> Iterator[str]:
    yield f"In no layer, small, for whoever needs them: cw.{', cw.'.join(in_no_layer(root))}."
    yield f"Checked as well: {'; '.join(other_rules(root))}."
