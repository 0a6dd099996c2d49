"""A run's events, redacted, as everybody who watches sees them."""

from __future__ import annotations

from cw.errors import BrokerUnavailableError
from cw.homes.journal import Journal
from cw.models import Event
from workerhost.runs.run_context import Holding

_EVENT_CHARS = 2000  # of one event in the store; worker.log keeps all


def publish(held: Holding, events: list[Event]) -> None:
    redact = held.redact
    clean = [
        event.model_copy(
            update={
                "text": redact(event.text)[:_EVENT_CHARS],  # in this order: half a key is a key
                "data": redact.deep(event.data),
            }
        )
        for event in events
    ]
    held.ctx.store.events.append(held.task_id, clean)


def published(held: Holding, book: Journal) -> int:
    """How much of the log the stream already has: an adopted run is not told twice."""
    if not held.home.log.exists():
        return 0
    try:
        last = held.ctx.store.events.last(held.task_id)
    except BrokerUnavailableError:
        return 0
    # An event of an earlier run of this task speaks of another log.
    return last.offset if last and last.at >= book.run.started_at else 0
