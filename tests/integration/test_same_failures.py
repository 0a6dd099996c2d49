"""Tasks that fail alike pause what they have in common, on real hosts with the rehearsal agent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cw.accounts.holds import HoldKind
from cw.fleet_models import HOST
from cw.models import Task, TaskSpec
from cw.notices.notice import Notice
from cw.states import Mode, State
from tests.integration.hosting import Machine, machine
from tests.standins.receiver import SECRET, nobody
from tests.waiting import wait_until

QUICK = "rehearse: pace 0.01\n"
FAILS, WORKS, ASKS = (
    f"{QUICK}rehearse: {what}\n" for what in ("no-change", "commit-only", "blocked which one?")
)
API_ERROR = f"{QUICK}rehearse: api-error 404\n"
MOST = 2


@pytest.fixture
def here(git_repo: Path) -> Iterator[Machine]:
    """Workers 01 on an account of its own, 02 and 03 on one together; after two failures."""
    # The log of what agents do is in the HOME of 01, where the others may not write.
    more = {"CW_AGENT_ENV": "LANG", "CW_SAME_FAILURES": str(MOST), "CW_NOTIFY_SECRET": SECRET}
    with nobody() as away, machine(git_repo, CW_NOTIFY_TO=away, **more) as made:
        for worker in ("02", "03"):
            made.add_worker(worker, ANTHROPIC_API_KEY="team-key")
        made.start()
        yield made


@pytest.fixture
def other(git_repo: Path, tmp_path: Path) -> str:
    """Another repository."""
    return str(shutil.copytree(git_repo, tmp_path / "other.git"))


def dispatched(here: Machine, prompt: str, worker: str = "01", repo: str = "") -> TaskSpec:
    place = {"repo": repo, "repo_url": repo, "repo_path": repo} if repo else {}
    return here.dispatch(prompt, wanted_worker=worker, mode=Mode.UPDATE, **place)


def ended(here: Machine, prompt: str, worker: str, repo: str = "") -> Task:
    return here.reaches(dispatched(here, prompt, worker, repo), State.DONE)


def waits(here: Machine, worker: str, repo: str = "") -> TaskSpec:
    """It is hinted, and its host has looked at it in vain."""
    spec = dispatched(here, WORKS, worker, repo)
    wait_until(lambda: here.task(spec).hinted_at is None, what=here.log)
    assert here.task(spec).state is State.QUEUED
    return spec


def pauses(here: Machine) -> list[Notice]:
    """What waits for a receiver that never is there."""
    found = [one.effect.notice for one in here.store().notices.pending("here")]
    return [one for one in found if one.what == "paused"]


def test_worker_that_fails_in_one_repository_is_kept_from_that_alone(
    here: Machine, other: str
) -> None:
    ends = [ended(here, FAILS, "01") for _ in range(MOST)]
    (hold,) = wait_until(here.store().breakers.holds, what=here.log)
    kept = waits(here, "01")

    elsewhere = [ended(here, WORKS, "01", other), ended(here, WORKS, "02")]

    assert [task.outcome.reason for task in ends if task.outcome] == ["no_changes"] * MOST
    assert (hold.worker, hold.by) == ("01", ends[-1].spec.id)
    assert {task.reason for task in elsewhere} == {"1 commit pushed"}
    assert here.task(kept).attempt == 0
    (notice,) = wait_until(lambda: pauses(here), what=here.log)
    assert (notice.task, notice.reason) == (ends[-1].spec.id, "no_changes")
    assert "takes nothing more: its last 2 tasks there failed" in notice.why
    assert notice.next == f"cw resume {here.repo}"


def test_repository_that_fails_with_several_is_held_until_somebody_resumes_it(
    here: Machine, other: str
) -> None:
    for worker in ("01", "02"):
        ended(here, FAILS, worker)
    (hold,) = wait_until(here.store().breakers.holds, what=here.log)
    kept = waits(here, "03")
    ended(here, WORKS, "03", other)

    here.store().breakers.resume(hold.place)
    here.sweep()

    assert hold.worker == ""
    assert here.reaches(kept, State.DONE).reason == "1 commit pushed"
    assert here.task(kept).attempt == 1
    assert len(pauses(here)) == 1


def test_worker_that_fails_wherever_it_works_is_paused(here: Machine, other: str) -> None:
    ended(here, FAILS, "01")
    ended(here, FAILS, "01", other)
    told = wait_until(lambda: pauses(here), what=here.log)
    record = here.store().fleet.worker("01")

    assert record
    assert (record.paused_by, here.store().breakers.holds()) == (HOST, [])
    assert record.paused.startswith("its last 2 tasks failed for the same reason (no_changes): ")
    assert [one.next for one in told] == ["cw resume 01"]
    assert ended(here, WORKS, "02").reason == "1 commit pushed"


def test_account_whose_workers_fail_wherever_they_work_waits_for_a_person(
    here: Machine, other: str
) -> None:
    ended(here, API_ERROR, "02")
    ended(here, API_ERROR, "03", other)
    account = next(one.account for one in here.store().fleet.workers() if one.id == "02")
    (hold,) = wait_until(lambda: here.store().accounts.read([account])[account].holds)
    name = here.store().accounts.read([account])[account].name

    assert (hold.kind, hold.until) == (HoldKind.FAILURES, None)
    told = wait_until(lambda: pauses(here), what=here.log)
    assert [one.next for one in told] == [f"cw accounts --resume {name}"]
    assert ended(here, WORKS, "01").reason == "1 commit pushed"


def test_success_between_them_and_what_is_the_task_s_own_pause_nothing(here: Machine) -> None:
    for prompt in (FAILS, WORKS, FAILS, ASKS, ASKS, WORKS, FAILS):
        ended(here, prompt, "01")

    assert here.store().breakers.holds() == []
    assert pauses(here) == []


def test_what_asks_a_person_neither_counts_nor_ends_a_streak(here: Machine) -> None:
    for prompt in (FAILS, ASKS, FAILS):
        ended(here, prompt, "01")

    (hold,) = wait_until(here.store().breakers.holds, what=here.log)
    assert hold.worker == "01"
