"""The stages of a pull request that another worker is to read, and what a reader's word means."""

from __future__ import annotations

import pytest

from cw.pulls.readings import TRANSITIONS, Readings, Stage, Step, without_findings
from tests.making import NOW


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("step", Step)
def test_step_leads_only_from_where_it_may_begin(stage: Stage, step: Step) -> None:
    sources, target = TRANSITIONS[step]

    after = Readings(stage=stage).after(step).stage

    assert after is (target if stage in sources else stage)


def test_what_is_done_stays_so() -> None:
    done = Readings(stage=Stage.DONE)

    assert {done.after(step).stage for step in Step} == {Stage.DONE}
    assert done.ordered("T1", NOW) == done


def test_second_one_that_comes_to_nothing_is_the_last() -> None:
    first = Readings().ordered("T1", NOW).failed("it was killed")
    second = first.ordered("T2", NOW).failed("it was lost")

    assert (first.stage, first.why) == (Stage.WANTED, "")
    assert (second.stage, second.tasks) == (Stage.OVER, ("T1", "T2"))
    assert second.why == "not read by another worker: it was lost"


def test_of_two_accounts_the_later_stage_counts() -> None:
    early, late = Readings(), Readings(stage=Stage.OVER)

    assert early.further(late) == late.further(early) == late
    assert early.further(None) == early


@pytest.mark.parametrize(
    ("report", "none"),
    [
        ("merge, it does what the issue says", True),
        ("\n\n**Merge**: good.\na.py:3: a nit", True),
        ("Merge.", True),
        ("change first: it forgets the empty list", False),
        ("do not merge: it is wrong", False),
        ("I would merge it", False),
        ("Merged views are shown twice", False),
        ("", False),
    ],
)
def test_only_a_first_line_that_says_merge_finds_nothing(report: str, none: bool) -> None:
    assert without_findings(report) is none
