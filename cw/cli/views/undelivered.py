"""GitHub writes and notices that were set aside, as lines."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cw.cli.views.render import Column, moment, table_lines
from cw.cli.views.short_names import label_room, short_label

if TYPE_CHECKING:
    from cw.operations.views.rows import UndeliveredRow

_COLUMNS = [
    Column("id", wide=120),
    Column("since", wide=60),
    Column("issue"),
    Column("what"),
    Column("text", gives=True, wide=120),
    Column("why", folds=True),
]


def undelivered_table(rows: list[UndeliveredRow], now: datetime, width: int | None) -> list[str]:
    return table_lines(_COLUMNS, [_cells(row, now, width) for row in rows], width)


def _cells(row: UndeliveredRow, now: datetime, width: int | None) -> list[str]:
    issue = short_label(label_of(row), width, label_room(width))
    return [row.id, moment(row.at, now), issue, row.kind, row.text, row.reason]


def label_of(row: UndeliveredRow) -> str:
    return row.repo if row.issue is None else f"{row.repo}#{row.issue}"
