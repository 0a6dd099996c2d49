"""As much SVG as the pictures need. Lengths are pixels."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

INK = "#24292f"
PALE = "#57606a"
HOST = "#fff1e5"
CORE = "#ddf4ff"
LINE = "#d0d7de"
_HEAD = (
    '<marker id="head" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">'
    f'<path d="M0,0 L9,4 L0,8 z" fill="{INK}"/></marker>'
)


def box(left: float, top: float, width: float, height: float, fill: str) -> str:
    return (
        f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="4"'
        f' fill="{fill}" stroke="{PALE}"/>'
    )


def words(
    left: float, top: float, text: str, *, size: int = 13, anchor: str = "start", ink: str = INK
) -> str:
    """`top`: of the line the letters stand on. `anchor`: start, middle or end."""
    return (
        f'<text x="{left:g}" y="{top:g}" font-size="{size}" text-anchor="{anchor}"'
        f' fill="{ink}">{escape(text)}</text>'
    )


def arrow(begin: tuple[float, float], end: tuple[float, float], *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<line x1="{begin[0]:g}" y1="{begin[1]:g}" x2="{end[0]:g}" y2="{end[1]:g}"'
        f' stroke="{INK}" stroke-width="1.5"{dash} marker-end="url(#head)"/>'
    )


def dot(left: float, top: float) -> str:
    return f'<circle cx="{left:g}" cy="{top:g}" r="5" fill="white" stroke="{INK}"/>'


def picture(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """A whole file. White behind it: pages may be dark, and its letters are."""
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" role="img">',
            f"<title>{escape(title)}</title>",
            f"<defs>{_HEAD}</defs>",
            f'<rect width="{width:g}" height="{height:g}" fill="white"/>',
            *parts,
            "</svg>",
            "",
        )
    )
