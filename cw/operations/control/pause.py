"""`cw pause`, `cw resume`, `cw drain`: whether workers take new work. What runs goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cw.errors import BadInputError, UnavailableError
from cw.fleet_models import HOST, Worker
from cw.models import Model, Task
from cw.operations.control.shared import Control, Patience, place, poke_all, running_on
from cw.operations.fleet.lookup import need_worker, task_of
from cw.store.store import Store

MAX_NOTE = 200  # characters


class Paused(Model):
    """A worker as it stands after the change."""

    worker: str
    paused: str  # the note; empty: it takes work
    task: str | None = None  # the one it has
    label: str = ""
    state: str = ""  # of that task


def pause(
    control: Control, workers: Sequence[str], note: str, *, keep: bool = False
) -> list[Paused]:
    """The record is what stops a host from starting anything, whether it is up or not. `keep`:
    those that are paused already keep their reason; by name it is replaced.
    """
    if not note or len(note) > MAX_NOTE or not note.isprintable():
        raise BadInputError(f"a note is one line of at most {MAX_NOTE} characters")
    return _set(control, workers, lambda worker: (keep and worker.paused) or note)


def resume(control: Control, workers: Sequence[str], *, by_name: bool = True) -> list[Paused]:
    """By name, the accounts they are on are tried again as well, where those waited for a person.
    Not `by_name`: those whose host found something that a person has to mend stay as they are, as
    they would fail again at once.
    """
    if by_name:
        for account in {need_worker(control.store, name).account for name in workers} - {""}:
            control.store.accounts.resume(account, mended=True)
            control.store.breakers.forgive("account", account)
        for name in workers:
            control.store.breakers.forgive("worker", name)

    def note(worker: Worker) -> str:
        return worker.paused if worker.paused_by == HOST and not by_name else ""

    return _set(control, workers, note)


def wait_until_idle(
    control: Control, workers: Sequence[str], tell: Callable[[list[Task], float], None]
) -> None:
    """Until nothing runs on these workers, however long. `tell` gets what runs, and the seconds.

    Raises UnavailableError when a host that still had a run falls silent.
    """
    store = control.store
    runs = running_on(store, workers)

    def idle() -> bool:
        nonlocal runs
        runs = running_on(store, workers)
        _need_hosts(store, runs)
        return not runs

    patience = Patience(seconds=float("inf"), tell=lambda waited: tell(runs, waited))
    patience.until(idle)


def chosen(store: Store, ids: Sequence[str], host: str | None, *, everyone: bool) -> list[str]:
    """The workers a command line means. Raises BadInputError, also when it means none or two."""
    if (bool(ids) + bool(host) + everyone) != 1:
        raise BadInputError("say which workers", hint="Give ids, or --host NAME, or --all")
    if ids:
        return [need_worker(store, name).id for name in ids]
    workers = store.fleet.workers()
    found = [worker.id for worker in workers if everyone or worker.host == host]
    if not found and host:
        known = ", ".join(sorted({worker.host for worker in workers if worker.host})) or "none"
        raise BadInputError(f"no worker lives on a host {host}", hint=f"Known: {known}")
    if not found:
        raise BadInputError("there are no workers yet", hint="Make one with: cw init 01")
    return found


def _set(control: Control, workers: Sequence[str], note: Callable[[Worker], str]) -> list[Paused]:
    found = [need_worker(control.store, name) for name in workers]
    for worker in found:
        if (wanted := note(worker)) != worker.paused:
            control.store.fleet.pause(worker.id, wanted)
    poke_all(control, [worker.host for worker in found])
    return [_row(control.store, worker.id, note(worker)) for worker in found]


def _row(store: Store, worker: str, note: str) -> Paused:
    task = task_of(store, worker)
    if task is None:
        return Paused(worker=worker, paused=note)
    at = place(task)
    return Paused(worker=worker, paused=note, task=at.task, label=at.label, state=at.state.value)


def _need_hosts(store: Store, runs: list[Task]) -> None:
    now = store.tasks.now()
    up = {host.name for host in store.fleet.hosts() if host.up(now)}
    for task in runs:
        if task.host not in up:
            raise UnavailableError(
                f"host {task.host} is not up, and {task.spec.label} may still run there",
                hint="Start it there: cw up",
            )
