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
        *(one.about for one in seen.waiting),
        *(one.about for one in seen.held),
        *(one.about for one in seen.stuck),
        *(one.about for one in seen.unseen),
    ]
    short = short_ids(store, {one.task for one in about})

    def typed(row: HeldRow | StuckRow | UnseenRow) -> Any:
        task = row.about.task
        return row.model_copy(update={"next": row.next.replace(task, short[task])})

    return seen.model_copy(
        update={
            "waiting": [
                one.model_copy(
                    update={"about": one.about.model_copy(update={"task": short[one.about.task]})}
                )
                for one in seen.waiting
            ],
            "held": [typed(one) for one in seen.held],
            "stuck": [typed(one) for one in seen.stuck],
            "unseen": tuple(typed(one) for one in seen.unseen),
        }
    )
