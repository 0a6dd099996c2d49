"""What is stored of circuit breakers: the same failures in a row, repositories that are held."""

from __future__ import annotations

from pydantic import TypeAdapter

from cw.breakers import Failure, Failures, RepositoryHold, Streaks
from cw.errors import UnreadableError
from cw.models import MALFORMED, Model
from cw.store import keys
from cw.store.connection import Connection
from cw.store.unreadable import fault

_KINDS = ("repository", "worker", "account")
_KEPT_MS = 30 * 24 * 3600 * 1000
_FAILURES = TypeAdapter(Failures)
_WHAT = "the list of held repositories"


class _Streak(Model):
    reason: str
    failures: Failures = ()


class BreakerStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def failed(self, failure: Failure, reason: str, most: int) -> Streaks:
        """One more of each. `most`: how many tasks are kept of a streak."""
        args = [reason, failure.task, failure.model_dump_json(), most, _KEPT_MS]
        said = self._count(failure, args)
        return Streaks(**dict(zip(_known(failure), map(_failures, said), strict=True)))

    def succeeded(self, task: Failure) -> None:
        """What this one has in common with others works."""
        self._count(task, ["", task.task, "", 0, 0])

    def hold(self, held: RepositoryHold) -> bool:
        """False: other tasks held it before."""
        field = keys.repository_hold(held.place, held.worker)
        args = [field, held.model_dump_json(), held.by]
        return bool(self._db.run("trip", [keys.REPOSITORIES], args))

    def holds(self) -> list[RepositoryHold]:
        """By name. What cannot be read holds nothing. Raises BrokerUnavailableError."""
        rows: dict[str, str] = self._db.ask(
            keys.REPOSITORIES, _WHAT, lambda client: client.hgetall(keys.REPOSITORIES), {}
        )
        found = [self._hold(field, text) for field, text in rows.items()]
        if found and all(found):
            self._db.unreadable.well(keys.REPOSITORIES)
        return sorted((one for one in found if one), key=lambda one: (one.name, one.worker))

    def resume(self, place: str) -> int:
        """Somebody says that a repository is mended. Returns how many holds there were."""
        mine = [one for one in self.holds() if one.place == place]
        fields = [keys.repository_hold(one.place, one.worker) for one in mine]
        with self._db.errors() as client:
            gone = client.hdel(keys.REPOSITORIES, *fields) if fields else 0
        self.forgive("repository", place)
        return int(gone)

    def forgive(self, kind: str, name: str) -> None:
        """Its streak begins anew, and those of all that had a part in it: else the next failure
        would pause one of them at once.
        """
        key = keys.streak(kind, name)
        text: str | None = self._db.ask(
            key, f"the failures of {kind} {name}", lambda client: client.get(key), None
        )
        parts = {
            keys.streak(one, getattr(failure, one))
            for failure in _streak(text)
            for one in _known(failure)
        }
        with self._db.errors() as client:
            client.delete(key, *parts)

    def _count(self, failure: Failure, args: list[object]) -> list[str]:
        names = [keys.streak(kind, getattr(failure, kind)) for kind in _known(failure)]
        try:
            return list(self._db.run("streak", names, args))
        except UnreadableError:  # of another type: nobody else makes it anew
            for name in names:
                self._db.set_aside(name)
            return list(self._db.run("streak", names, args))

    def _hold(self, field: str, text: str) -> RepositoryHold | None:
        try:
            return RepositoryHold.model_validate_json(text)
        except MALFORMED as error:
            self._db.unreadable.add(keys.REPOSITORIES, _WHAT, f"{field}: {fault(error)}")
            return None


def _known(failure: Failure) -> list[str]:
    return [kind for kind in _KINDS if getattr(failure, kind)]


def _failures(text: str) -> Failures:
    """Of a damaged streak: none, until new ones have taken its place."""
    try:
        return _FAILURES.validate_json(text)
    except MALFORMED:
        return ()


def _streak(text: str | None) -> Failures:
    try:
        return _Streak.model_validate_json(text).failures if text else ()
    except MALFORMED:
        return ()
