"""Names of workers, hosts and issues, shortened where the terminal is narrow."""

from __future__ import annotations

_NARROW = 120  # columns; below, names are shortened
SMALL = 60  # below, there is no room for everything
_WORKER_ID = 12
WORKER_LABEL = 14  # characters of owner/repo#22 there, beside much else
_LABEL = 24


def short_name(text: str, width: int | None) -> str:
    return _cut(text, _WORKER_ID) if width and width < _NARROW else text


def label_room(width: int | None) -> int:
    """Characters for an issue's label where it stands beside little else."""
    return WORKER_LABEL if width and width < SMALL else _LABEL


def short_label(label: str, width: int | None, most: int) -> str:
    """`owner/repo#22` for a narrow place: first without the owner, then with a shorter name; the
    number stays.
    """
    if width is None or width >= _NARROW or len(label) <= most:
        return label
    name, hash_, number = label.rpartition("/")[2].rpartition("#")
    rest = f"{hash_}{number}" if hash_ else ""
    name = name if hash_ else number
    room = most - len(rest)
    return _cut(name, room) + rest


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
