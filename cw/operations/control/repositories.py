"""`cw resume owner/repo`: somebody says that a repository whose tasks failed alike is mended."""

from __future__ import annotations

from collections.abc import Sequence

from cw.breakers import RepositoryHold
from cw.errors import BadInputError
from cw.models import Model
from cw.names import same_repo
from cw.operations.control.shared import Control, poke_all
from cw.store.store import Store


class Resumed(Model):
    """A repository that was held. `was`: why."""

    repository: str
    was: str


def held(store: Store, names: Sequence[str]) -> list[RepositoryHold]:
    """Those that are meant. Raises BadInputError for one that is not held."""
    known = store.breakers.holds()
    found: dict[str, RepositoryHold] = {}
    for name in names:
        mine = [hold for hold in known if same_repo(hold.name, name)]
        if not mine:
            names_held = ", ".join(sorted({hold.name for hold in known})) or "none"
            raise BadInputError(f"{name} is not held", hint=f"Repositories that are: {names_held}")
        found |= {hold.place: hold for hold in mine}
    return list(found.values())


def resume(control: Control, holds: Sequence[RepositoryHold]) -> list[Resumed]:
    """On all workers."""
    for hold in holds:
        control.store.breakers.resume(hold.place)
    if holds:
        poke_all(control, [worker.host for worker in control.store.fleet.workers()])
    return [Resumed(repository=hold.name, was=hold.why) for hold in holds]
