"""What the commands that steer workers share: finding tasks, waiting, words for results."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from cw.cli.arguments.params import read_targets
from cw.cli.context import Cli
from cw.cli.views.render import duration, note
from cw.errors import BadInputError, CwError
from cw.operations.fleet.references import Target, resolve

if TYPE_CHECKING:
    from cw.models import Task
    from cw.operations.control.shared import Patience
    from cw.operations.control.stop import Stopped

_TELL_EVERY = 5.0  # seconds
_SETTLE_SECONDS = 10.0  # git and GitHub are asked once the agent has ended


def find(cli: Cli, target: Target) -> Task | None:
    """The task an id means; None: a worker without one. Raises BadInputError for unknown ids."""
    from cw.operations.fleet.lookup import need_task, task_of

    target = resolve(cli.store, target)
    if target.task:
        return need_task(cli.store, target.task)
    return task_of(cli.store, target.worker or "")


def several(
    cli: Cli,
    ids: tuple[str, ...],
    *,
    everyone: bool,
    of_all: Callable[[Task], bool],
    nothing: str,
    needs: bool = False,
) -> list[Task]:
    """The tasks that ids mean, each once, or with `everyone` those that fit. A worker without one
    is said to have `nothing`, on standard error; or it is wrong, when a task `needs` to be there.
    Raises BadInputError, before anything is changed.
    """
    if everyone == bool(ids):
        raise BadInputError("say which tasks", hint="Give ids of workers or tasks, or --all")
    if everyone:
        return [task for task in cli.store.tasks.open_tasks() if of_all(task)]
    found: dict[str, Task] = {}
    idle = []
    for target in read_targets(ids):
        task = _with_failed(cli, target) if not needs else find(cli, target)
        if task:
            found[task.spec.id] = task
        else:
            idle.append(target.worker)
    for worker in idle:
        said = f"worker {worker} is idle: {nothing}"
        if needs:
            raise BadInputError(said, hint=f"Finished tasks: cw history {worker}")
        note(said)
    return list(found.values())


def _with_failed(cli: Cli, target: Target) -> Task | None:
    """Also a worker's last one, if it failed and left its label behind."""
    from cw.operations.control.closing import last_failed

    task = find(cli, target)
    return task or (last_failed(cli.store, target.worker) if target.worker else None)


def stop_patience(cli: Cli, what: str) -> Patience:
    """As long as interrupt, terminate and kill can take, and what follows them."""
    from cw.operations.control.shared import Patience

    seconds = cli.settings.stop_grace * 3 + _SETTLE_SECONDS
    return Patience(seconds=seconds, tell=now_and_then(lambda: what))


def now_and_then(what: Callable[[], str]) -> Callable[[float], None]:
    """On a terminal, says every few seconds what is waited for. Called with the seconds so far."""
    told = 0.0

    def tell(waited: float) -> None:
        nonlocal told
        if waited - told >= _TELL_EVERY and sys.stderr.isatty():
            told = waited
            note(f"waiting for {what()} ({duration(waited)})")

    return tell


def stopped_line(stopped: Stopped) -> str:
    """What became of a task, for a person."""
    who = f" on worker {stopped.worker}" if stopped.worker else ""
    if stopped.away:
        return f"{stopped.label}{who}: its host is away; it is stopped as soon as that is back"
    if stopped.state.value == "running":
        return f"{stopped.label}{who}: still stopping; the wish is recorded"
    if stopped.state.value == "done":
        return f"{stopped.label}{who}: had ended already; cw history {stopped.task}"
    again = f"cw restart {stopped.task}, or end it: cw reset {stopped.task}"
    return f"{stopped.label}{who}: {stopped.state.value}{_work(stopped)}. Go on: {again}"


def need_stopped(results: list[Stopped]) -> None:
    """Raises CwError when something still runs; exit status 4 when its host is away."""
    from cw.errors import UnavailableError

    away = [result.label for result in results if result.away]
    if away:
        raise UnavailableError(
            f"the host of {', '.join(away)} is away; the wish to stop stays recorded",
            hint="It is obeyed when that host is back, or its lease has ended",
        )
    slow = [result.label for result in results if result.state.value == "running"]
    if slow:
        raise CwError(
            f"{', '.join(slow)} did not stop in time; the wish stays recorded",
            hint="See: cw status",
        )


def _work(stopped: Stopped) -> str:
    """Where its commits and changes lie."""
    parts = []
    if stopped.commits:
        count = f"{stopped.commits} commit{'' if stopped.commits == 1 else 's'}"
        parts.append(
            f"{count} on {stopped.branch}{', pushed' if stopped.pushed else ', not pushed'}"
        )
    if stopped.wip:
        parts.append(f"uncommitted changes kept as {stopped.wip}")
    where = f" in {stopped.clone}" if stopped.clone else ""
    return f", {' and '.join(parts)}{where}" if parts else ", nothing committed"
