"""Frames of a terminal as one SVG that moves without a script: GitHub shows it as any picture.

Each line that is ever shown is drawn once and used in the frames it stands in. The frames lie below
each other, and CSS pulls that film past a window. Where nothing moves (reduced motion, a viewer
without CSS animations), the last one is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from bench.recording.screen import Cell, Style

WIDE, HIGH = 8.4, 18.0  # of a character, in pixels at 14 px
_PAD, _BAR = 14.0, 30.0
_GAP = 3 * HIGH  # between two frames: a small picture is blurred over a window's edge
_COLOURS = {
    31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79c0ff",
    35: "#d2a8ff", 36: "#76e3ea", 90: "#8b949e",
}  # fmt: skip

Line = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    lines: tuple[Line, ...]
    seconds: float  # how long it stands


def film(frames: Sequence[Frame], columns: int, rows: int, title: str) -> str:
    width, window = columns * WIDE + 2 * _PAD, rows * HIGH
    height = window + _BAR + _PAD
    pitch = window + _GAP
    names = {line: f"l{at}" for at, line in enumerate(_lines(frames))}
    size = f'width="{width:.0f}" height="{height:.0f}"'
    inner = f'x="1" y="1" width="{width - 2:.0f}" height="{height - 2:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" {size}>',
        f"<title>{escape(title)}</title>",
        f"<style>{_style(frames, pitch)}</style>",
        "<defs>",
        *(f'<g id="{name}">{_drawn(line)}</g>' for line, name in names.items()),
        "</defs>",
        f'<rect {size} rx="9" fill="#30363d"/>',
        f'<rect {inner} rx="8" fill="#0d1117"/>',
        *(f'<circle cx="{18 + 18 * at}" cy="16" r="5.5" fill="#484f58"/>' for at in range(3)),
        f'<svg x="{_PAD:.0f}" y="{_BAR:.0f}" width="{columns * WIDE:.1f}" height="{window:.0f}">',
        '<g class="film">',
        *(_frame(one, at * pitch, names) for at, one in enumerate(frames)),
        "</g></svg></svg>",
        "",
    ]
    return "\n".join(parts)


def _lines(frames: Sequence[Frame]) -> Iterator[Line]:
    yield from dict.fromkeys(line for one in frames for line in one.lines if line)


def _frame(frame: Frame, top: float, names: dict[Line, str]) -> str:
    return "".join(
        f'<use href="#{names[line]}" y="{top + at * HIGH:.0f}"/>'
        for at, line in enumerate(frame.lines)
        if line
    )


def _drawn(line: Line) -> str:
    """Runs of one style, each as wide as its columns in whatever font there is."""
    parts, column = [], 0
    for style, cells in groupby(line, key=lambda cell: cell[1]):
        text = "".join(one for one, _ in cells)
        lead = len(text) - len(text.lstrip())
        said = text.strip()
        if said:
            parts.append(
                f'<text x="{(column + lead) * WIDE:.1f}" y="13"{_class(style)}'
                f' textLength="{len(said) * WIDE:.1f}">{escape(said, quote=False)}</text>'
            )
        column += len(text)
    return "".join(parts)


def _class(style: Style) -> str:
    names = [f"c{style.colour}"] if style.colour else []
    names += [name for name in ("bold", "dim") if getattr(style, name)]
    return f' class="{" ".join(names)}"' if names else ""


def _style(frames: Sequence[Frame], pitch: float) -> str:
    whole, at, steps = sum(one.seconds for one in frames), 0.0, []
    for number, one in enumerate(frames):
        steps.append(f"{100 * at / whole:.2f}%{{transform:translateY({-number * pitch:.0f}px)}}")
        at += one.seconds
    last = -(len(frames) - 1) * pitch
    steps.append(f"100%{{transform:translateY({last:.0f}px)}}")
    colours = "".join(f".c{number}{{fill:{one}}}" for number, one in _COLOURS.items())
    return (
        "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
        "fill:#e6edf3;white-space:pre}"
        f".bold{{font-weight:700}}.dim{{fill:#8b949e}}{colours}"
        f".film{{transform:translateY({last:.0f}px);animation:film {whole:.1f}s step-end infinite}}"
        f"@keyframes film{{{''.join(steps)}}}"
        "@media (prefers-reduced-motion:reduce){.film{animation:none}}"
    )
