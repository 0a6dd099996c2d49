"""The fleet as a person is told of it: ids of tasks no longer than they have to be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cw.operations.fleet.references import short_ids

if TYPE_CHECKING:
    from cw.operations.views.rows import HeldRow, Overview, StuckRow, UnseenRow
    from cw.store.store import Store


def with_short_ids(store: Store, seen: Overview) -> Overview:
    """Raises BrokerUnavailableError."""
    about = [
        *(row.about for row in seen.waiting),
        *(row.about for row in seen.held),
        *(row.about for row in seen.stuck),
        *(row.about for row in seen.unseen),
    ]
    short = short_ids(store, {subject.task for subject in about})

    def typed(row: HeldRow | StuckRow | UnseenRow) -> Any:
        task = row.about.task
        return row.model_copy(update={"next": row.next.replace(task, short[task])})

    return seen.model_copy(
        update={
            "waiting": [
                row.model_copy(
                    update={"about": row.about.model_copy(update={"task": short[row.about.task]})}
                )
                for row in seen.waiting
            ],
            "held": [typed(row) for row in seen.held],
            "stuck": [typed(row) for row in seen.stuck],
            "unseen": tuple(typed(row) for row in seen.unseen),
        }
    )
