"""Whether a signing key is the fleet's, by what others have signed at its broker."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import TYPE_CHECKING

from cw.store.signing import is_genuine

if TYPE_CHECKING:
    from cw.store.store import Store

_TASKS = 50  # open ones, the oldest: each costs a question for its prompt


def key_fits(store: Store, others: Collection[str], me: str) -> bool | None:
    """None: nobody else has signed anything there. `others`: the other hosts; `me`: our name,
    whose own word proves nothing: it may have worked there with a key of its own.

    One signature that fits is enough, since two keys are in use while a fleet changes its key.
    Hosts are heard first: a machine with a wrong key can dispatch, and all refuse what it wants.
    """
    heads = store.audit.ours()
    found = [heads[name] for name in others if name in heads] or _tasks(store, me)
    return any(found) if found else None


def _tasks(store: Store, me: str) -> list[bool]:
    newer = set(store.tasks.too_new())
    specs = (
        task.spec
        for task in store.tasks.open_tasks()
        if task.spec.signature
        and task.spec.id not in newer
        and not task.spec.created_by.endswith(f"@{me}")
    )
    ring = store.connection.keyring
    return [is_genuine(ring, spec, store.tasks.prompt(spec.id)) for spec in islice(specs, _TASKS)]
