"""A line for each room, in the rooms' own words: the docstrings of the packages."""

from __future__ import annotations

import ast
from pathlib import Path

BEGIN = "<!-- rooms: made by script/draw-architecture -->"
END = "<!-- /rooms -->"


def table(root: Path) -> str:
    """Raises ValueError for a package that does not say what it is."""
    inits = [
        path for top in ("cw", "workerhost") for path in sorted((root / top).rglob("__init__.py"))
    ]
    rows = [f"| `{path.parent.relative_to(root)}/` | {_says(path)} |" for path in inits]
    return "\n".join((BEGIN, "", "| room | what it is |", "|---|---|", *rows, "", END))


def put(page: str, made: str) -> str:
    """The page with this table in the place of its old one. Raises ValueError: no place."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"there is no {BEGIN} … {END}")
    return before + made + after


def _says(path: Path) -> str:
    said = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    if not said:
        raise ValueError(f"{path} has no docstring")
    return " ".join(said.partition("\n\n")[0].split()).replace("|", "\\|")
