"""What a pull request's record begins with: its task's end."""

from __future__ import annotations

import pytest

from cw.pulls.begin import begun
from cw.pulls.repaired import repaired
from cw.states import OutcomeKind, State
from tests.making import make_outcome, make_task
from tests.repairs import make_repair_spec

PR = "https://github.com/acme/app/pull/31"


@pytest.mark.parametrize(
    ("rough", "estimated"), [(False, False), (True, False), (False, True), (True, True)]
)
def test_cost_is_estimated_when_that_of_any_run_was(rough: bool, estimated: bool) -> None:
    done = make_outcome(OutcomeKind.SUCCEEDED, pr=PR, cost_usd=0.5, cost_estimated=estimated)

    record = begun(make_task(State.DONE, outcome=done, spent_rough=rough))

    assert record
    assert (record.number, record.cost_usd) == (31, 0.5)
    assert record.cost_estimated is (rough or estimated)


def test_record_knows_every_worker_that_had_a_task_of_it() -> None:
    done = make_outcome(OutcomeKind.SUCCEEDED, pr=PR)
    tasks = [make_task(State.DONE, outcome=done, worker=worker) for worker in ("01", "02", "01")]

    record = None
    for task in tasks:
        record = begun(task, record)

    assert record
    assert (record.worker, record.workers) == ("01", ("01", "02"))
    failed = make_outcome(OutcomeKind.FAILED)
    repair = make_task(State.DONE, spec=make_repair_spec(), worker="03", outcome=failed)
    assert repaired(record, repair).workers == ("01", "02", "03")
