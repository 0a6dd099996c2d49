"""Finished tasks told again to a broker that has forgotten them, from the archives in the HOMEs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cw.budgets.ceilings import NONE, Amount
from cw.budgets.scopes import Payers, places
from cw.homes import journal
from cw.homes.files import read_json
from cw.homes.journal import Journal
from cw.homes.layout import Home, homes
from cw.models import Outcome, Task, TaskSpec
from cw.reasons import Reason
from cw.settings import Settings
from cw.states import OutcomeKind, State
from cw.store.store import Store

log = logging.getLogger("workerhost.rebuilding")


_CLOCKS_DIFFER = timedelta(days=1)  # a machine that dispatches from one that runs, at most


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`recorded`: ids of tasks. `unreadable`: archives that are left as they are."""

    recorded: tuple[str, ...] = ()
    unreadable: tuple[Path, ...] = ()


def rebuild(store: Store, settings: Settings, *, dry_run: bool = False) -> Rebuilt:
    """From this machine's archives of the last `rebuild_days`. What the broker knows of a task,
    finished or not, is left alone. Raises BrokerUnavailableError.
    """
    if not settings.rebuild_days:
        return Rebuilt()
    since = datetime.now(UTC) - timedelta(days=settings.rebuild_days)
    unreadable: list[Path] = []
    books = list(_archives(homes(settings.workers_root), since, unreadable))
    recorded = tuple(
        task.spec.id
        for task in sorted(_finished(books), key=lambda task: task.spec.id)
        if store.tasks.get(task.spec.id) is None and (dry_run or store.tasks.rebuild(task))
    )
    return Rebuilt(recorded, tuple(unreadable))


def recount(store: Store, settings: Settings, now: datetime) -> bool:
    """What this machine's runs of the month took, for a ledger that knows of none of them. False:
    it does. Raises BrokerUnavailableError.
    """

    def archived(before: datetime | None) -> dict[str, Amount]:
        begin = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        sums: dict[str, Amount] = {}
        for book in _archives(homes(settings.workers_root), begin, []):
            done, at = book.outcome, _end(book)
            if book.phase != "settled" or done is None or (before and at >= before):
                continue
            took = Amount(done.cost_usd, done.turns, done.duration_s)
            for place in places(Payers(book.run.worker, book.run.account), at):
                sums[place] = sums.get(place, NONE).plus(took)
        return sums

    return store.budgets.recount(settings.host_name, now, archived)


@dataclass(frozen=True, slots=True)
class Ended:
    """The archive of a run that ended its task."""

    book: Journal
    outcome: Outcome


def finished_before(workers_root: Path, spec: TaskSpec, reopened: int = 0) -> Ended | None:
    """What this machine's archives say about the end of a task that a broker, restored from an
    earlier time, takes for unfinished. A task that is done is never begun again under its own id,
    unless a person wants it: up to the attempt `reopened` nothing counts.
    """
    for home in homes(workers_root):
        for book in _runs_of(home, spec, since=spec.created_at - _CLOCKS_DIFFER):
            if book.run.attempt <= reopened:
                continue
            if book.phase == "settled" and book.outcome and _ends_the_task(book.outcome):
                return Ended(book, book.outcome)
    return None


def runs_here(home: Home, spec: TaskSpec) -> list[Journal]:
    """The runs of this very task in this HOME, the newest last, with their conversations. The
    record names one too, but whoever can write at the broker could have a task go on in that of
    another.
    """
    return sorted(_runs_of(home, spec), key=_end)


def runs_of_pull(home: Home, spec: TaskSpec) -> list[Journal]:
    """The runs in this HOME of the tasks that worked on the pull request before this repair of it,
    the newest last: of the one that made it, and of repairs.
    """
    return sorted((book for book in _books(home, spec) if _before(book.task, spec)), key=_end)


def _before(task: TaskSpec, spec: TaskSpec) -> bool:
    repair = spec.repair
    if repair is None or task.id == spec.id or not task.beside(spec):
        return False
    of_it = task.repair is not None and task.repair.number == repair.number
    return of_it or task.id == repair.author


def heads_left(workers_root: Path, spec: TaskSpec) -> set[str]:
    """What the task's branch stood at after its earlier runs on this machine."""
    since = spec.created_at - _CLOCKS_DIFFER
    books = (book for home in homes(workers_root) for book in _runs_of(home, spec, since=since))
    return {book.outcome.head for book in books if book.outcome and book.outcome.head}


def _runs_of(home: Home, spec: TaskSpec, since: datetime | None = None) -> Iterator[Journal]:
    return (book for book in _books(home, spec, since) if book.task.id == spec.id)


def _books(home: Home, spec: TaskSpec, since: datetime | None = None) -> Iterator[Journal]:
    """Of its repository's issue."""
    for path in home.completed.glob(f"{journal.archive_name(spec)}-*.json"):
        if since and _changed(path) < since.timestamp():
            continue
        book = journal.parse(read_json(path))
        if book:
            yield book


def tell(done: Rebuilt) -> None:
    for task in done.recorded:
        log.info("finished task recorded again task=%s", task)
    for path in done.unreadable:
        log.warning("archive cannot be read: %s", path)


def _archives(found: Iterable[Home], since: datetime, unreadable: list[Path]) -> Iterator[Journal]:
    for home in found:
        for path in sorted(home.completed.glob("*.json")):
            if _changed(path) < since.timestamp():
                continue
            book = journal.parse(read_json(path))
            if book is None:
                unreadable.append(path)
            elif _end(book) >= since:
                yield book


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # moved away meanwhile
        return 0.0


def _finished(books: Iterable[Journal]) -> Iterator[Task]:
    """Tasks whose last run ended them. One that was put off, stopped or lost is not finished."""
    runs: dict[str, list[Journal]] = {}
    for book in sorted(books, key=_end):
        runs.setdefault(book.task.id, []).append(book)
    for found in runs.values():
        last = found[-1]
        if last.phase == "settled" and last.outcome and _ends_the_task(last.outcome):
            yield _record(last, last.outcome, [book.outcome for book in found if book.outcome])


def _ends_the_task(outcome: Outcome) -> bool:
    if outcome.kind is OutcomeKind.FAILED:
        return outcome.reason != Reason.LOST
    return outcome.kind is OutcomeKind.SUCCEEDED


def _record(book: Journal, outcome: Outcome, of_all: list[Outcome]) -> Task:
    run = book.run
    return Task(
        spec=book.task,
        state=State.DONE,
        worker=run.worker,
        host=run.host,
        attempt=run.attempt,
        fence=run.fence,
        session=run.session,
        started_at=run.started_at,
        ended_at=_end(book),
        outcome=outcome,
        spent_usd=sum(result.cost_usd for result in of_all),
        spent_turns=sum(result.turns for result in of_all),
        spent_s=sum(result.duration_s for result in of_all),
    )


def _end(book: Journal) -> datetime:
    return book.run.ended_at or book.run.started_at
