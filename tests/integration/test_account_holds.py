"""One refused request holds its account: nothing of it starts until that is over, then one task
tries, then the others follow one after the other. Nothing is charged for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from cw.accounts.holds import HoldKind
from cw.homes.files import write_private
from cw.models import Task, TaskSpec
from cw.states import State
from tests.integration.hosting import Machine, machine
from tests.waiting import wait_until

QUICK = "rehearse: pace 0.05\n"
SPREAD = 1.0


@pytest.fixture
def here(git_repo: Path) -> Iterator[Machine]:
    """Four workers: 02, 03 and 04 on one account, 01 on none that is known."""
    more = {"CW_AGENT_ENV": "LANG", "CW_ACCOUNT_SPREAD": str(SPREAD), "CW_ACCOUNT_PAUSE": "2"}
    with machine(git_repo, **more) as made:
        for worker in ("02", "03", "04"):
            made.add_worker(worker, ANTHROPIC_API_KEY="team-key", CW_ACCOUNT="team-a")
        made.start()
        yield made


def account_of(here: Machine, worker: str) -> str:
    found = here.store().fleet.worker(worker)
    return found.account if found else ""


def all_done(here: Machine, specs: list[TaskSpec], seconds: float = 90) -> list[Task]:
    def over() -> bool:
        here.sweep()
        return all(here.task(spec).state is State.DONE for spec in specs)

    wait_until(over, seconds, what=lambda: f"{[here.task(one) for one in specs]}\n{here.log()}")
    return [here.task(spec) for spec in specs]


def test_limit_holds_all_workers_of_its_account_until_one_finds_out_that_it_is_over(
    here: Machine,
) -> None:
    until = int(time.time()) + 12
    prompt = f"{QUICK}rehearse: usage-limit {until}\nrehearse: slow 1\nrehearse: no-change\n"
    first = here.dispatch(prompt, wanted_worker="02")
    here.reaches(first, State.HELD)
    others = [here.dispatch(prompt, wanted_worker=worker) for worker in ("03", "04")]
    free = here.dispatch(QUICK + "rehearse: no-change\n", wanted_worker="01")
    here.reaches(free, State.DONE)
    waiting = [here.task(spec) for spec in others]

    tasks = all_done(here, [first, *others])

    assert [task.attempt for task in waiting] == [0, 0]
    assert [task.attempt for task in tasks] == [2, 1, 1]  # no request into the closed window
    assert [task.deferrals for task in tasks] == [0, 0, 0]
    begun = sorted(task.started_at.timestamp() for task in tasks if task.started_at)
    assert begun[0] >= until
    gaps = [later - earlier for earlier, later in pairwise(begun)]
    assert min(gaps) >= SPREAD
    assert here.store().accounts.read([account_of(here, "02")])[account_of(here, "02")].holds == ()


def test_refused_credential_costs_one_request_and_its_tasks_go_on_when_it_is_mended(
    here: Machine,
) -> None:
    prompt = f"{QUICK}rehearse: api-error 401 once\nrehearse: no-change\n"
    first = here.dispatch(prompt, wanted_worker="02")
    wait_until(lambda: here.task(first).attempt == 1, what=here.log)
    wait_until(lambda: here.task(first).state is not State.RUNNING, what=here.log)
    account = account_of(here, "02")
    other = here.dispatch(QUICK + "rehearse: no-change\n", wanted_worker="03")
    here.dispatch(QUICK + "rehearse: no-change\n", wanted_worker="01")
    here.sweep()
    (hold,) = here.store().accounts.read([account])[account].holds
    session = here.task(first).session

    for worker in ("02", "03", "04"):
        home = here.home(worker)
        text = home.zshenv.read_text("utf-8").replace("team-key", "mended-key")
        write_private(home.zshenv, text.encode())
    waited = here.task(other)
    tasks = all_done(here, [first, other])

    assert (hold.kind, hold.until) == (HoldKind.CREDENTIAL, None)
    assert waited.attempt == 0
    assert tasks[0].session == session
    assert [task.attempt for task in tasks] == [2, 1]
    assert tasks[0].deferrals == tasks[0].losses == 0


def test_outage_is_probed_by_one_task_at_a_time_and_fails_none(here: Machine) -> None:
    prompt = f"{QUICK}rehearse: api-error 529 once\nrehearse: no-change\n"
    specs = [here.dispatch(prompt, wanted_worker=worker) for worker in ("02", "03", "04")]

    tasks = all_done(here, specs)

    assert all(task.outcome and task.outcome.reason == "done" for task in tasks)
    assert all(task.attempt <= 2 and task.deferrals == 0 for task in tasks)


def test_pool_gives_to_the_account_that_has_room(here: Machine) -> None:
    until = int(time.time()) + 600
    held = here.dispatch(f"{QUICK}rehearse: usage-limit {until}\n", wanted_worker="02")
    here.reaches(held, State.HELD)
    pool = [here.dispatch(QUICK + "rehearse: no-change\n", wanted_worker=None) for _ in range(3)]

    tasks = all_done(here, pool)

    assert [task.worker for task in tasks] == ["01", "01", "01"]
    assert here.task(held).state is State.HELD
