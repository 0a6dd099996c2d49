"""A pull request that a person gives back. Pure."""

from __future__ import annotations

from cw.pulls.record import PullRecord
from cw.pulls.states import PullState

GAVE_UP = "gave up:"  # begins what is told of that
_PUSHED = "push:"  # begins the id of a person's push


def gave_up_before(record: PullRecord) -> bool:
    return any(one.startswith(GAVE_UP) for one in record.told)


def was_given_up(record: PullRecord) -> bool:
    """Nothing more is mended there before a person says so."""
    stands = record.state is PullState.NEEDS_YOU
    return stands and (bool(record.halted) or gave_up_before(record))


def released(record: PullRecord) -> PullRecord:
    """What meant hands off counts no more. A head that a person made is begun with anew."""
    theirs = any(key.startswith(_PUSHED) for key in record.hands)
    update = {
        "released": tuple(dict.fromkeys((*record.released, *record.hands))),
        "stops": {},
        "hands": {},
    }
    given = _watched(record).model_copy(update=update)
    return _fresh(given) if theirs else given


def tried_again(record: PullRecord) -> PullRecord:
    return _fresh(_watched(record))


def _fresh(record: PullRecord) -> PullRecord:
    """Nothing counts as tried yet."""
    told = tuple(one for one in record.told if not one.startswith(GAVE_UP))
    return record.model_copy(update={"rounds": {}, "halted": "", "tried": (), "told": told})


def _watched(record: PullRecord) -> PullRecord:
    waits = "it was given back; the next look tells"
    return record.model_copy(update={"state": PullState.WATCHING, "cause": None, "waits": waits})
