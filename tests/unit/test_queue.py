"""What waits is in the right line and says what to type."""

from __future__ import annotations

from cw.fleet_models import Host, Worker
from cw.models import Task
from cw.operations.views.overview import Fleet, overview
from cw.operations.views.queue import lines, queue
from cw.operations.views.rows import Overview
from cw.states import State
from tests.making import NOW, make_spec, make_task

UP = Host(name="h", seen_at=NOW)


def waiting(worker: str | None = None) -> Task:
    return make_task(State.QUEUED, spec=make_spec(wanted_worker=worker), worker=worker)


def look(
    *tasks: Task, workers: list[Worker] | None = None, hosts: tuple[Host, ...] = (UP,)
) -> Overview:
    queued = [one for one in tasks if one.state is State.QUEUED]
    places: dict[str | None, list[str]] = {}
    for one in queued:
        places.setdefault(one.worker, []).append(one.spec.id)
    fleet = Fleet(
        workers=workers if workers is not None else [Worker(id="01", host="h")],
        hosts=list(hosts),
        tasks=list(tasks),
        lines=places,
    )
    return overview(fleet, NOW)


def test_pool_comes_first_then_each_worker_in_order() -> None:
    tasks = [waiting("02"), waiting(), waiting("01"), waiting("01")]

    found = list(lines(queue(look(*tasks, workers=[Worker(id="01"), Worker(id="02")]))))

    assert [worker for worker, _ in found] == [None, "01", "02"]
    assert [one.place for one in found[1][1]] == [1, 2]
    assert [one.about.task for one in found[1][1]] == [tasks[2].spec.id, tasks[3].spec.id]


def test_what_stands_aside_comes_after_its_line_and_has_no_place() -> None:
    crashed = make_task(State.CRASHED, worker="01", ended_at=NOW)

    rows = queue(look(crashed, waiting("01")))

    assert [(one.state, one.place, one.since) for one in rows][1] == ("crashed", None, NOW)
    assert rows[0].place == 1


def nexts(seen: Overview) -> list[str]:
    return [one.next for one in queue(seen)]


def test_each_obstacle_names_its_command() -> None:
    mine, pool = waiting("01"), waiting()
    away = [Worker(id="01", host="x")]
    asleep = [Worker(id="01", host="h", paused="lunch")]

    assert nexts(look(mine, hosts=())) == ["cw up"]
    assert nexts(look(mine, workers=[])) == ["cw init 01"]
    assert nexts(look(pool, workers=[])) == ["cw init 01"]
    assert nexts(look(pool, workers=away)) == ["on x: cw up"]
    assert nexts(look(mine, workers=asleep)) == ["cw resume 01"]
    assert nexts(look(pool, workers=asleep)) == ["cw resume --all"]


def test_task_behind_a_crashed_one_names_what_frees_the_worker() -> None:
    crashed = make_task(State.CRASHED, worker="01")
    kept = [Worker(id="01", host="h", task=crashed.spec.id)]

    assert nexts(look(waiting("01"), crashed, workers=kept))[0] == "cw restart 01 or cw reset 01"


def test_what_moves_by_itself_asks_for_nothing() -> None:
    running = make_task(State.RUNNING, worker="01", started_at=NOW)
    busy = [Worker(id="01", host="h", task=running.spec.id)]

    assert nexts(look(waiting("01"))) == [""]
    assert nexts(look(running, waiting(), workers=busy)) == [""]
