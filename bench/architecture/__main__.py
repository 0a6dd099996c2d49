"""`python -m bench.architecture`: writes docs/pictures and the table in docs/architecture.md."""

from __future__ import annotations

from pathlib import Path

from bench.architecture import moves, rooms, table, way

ROOT = Path(__file__).parents[2]
PICTURES = {
    "rooms.svg": rooms.draw,
    "task.svg": way.draw,
    "states.svg": moves.draw,
    "pulls.svg": moves.draw_pulls,
}
PAGE = "docs/architecture.md"


def made(root: Path) -> dict[str, str]:
    """What each file has to hold, by its path below `root`."""
    pictures = {f"docs/pictures/{name}": draw(root) for name, draw in PICTURES.items()}
    page = (root / PAGE).read_text("utf-8")
    return {**pictures, PAGE: table.put(page, table.table(root))}


def main() -> None:
    for name, text in made(ROOT).items():
        (ROOT / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
