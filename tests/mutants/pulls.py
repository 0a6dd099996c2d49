"""Guards at pull requests that are followed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cw.operations.passes.rights import Rights
from cw.operations.pulls import beginning, follow, listening, mending, reading, review, review_plan
from cw.operations.pulls.mending import Mender
from cw.pulls import next_step, readings, repaired, verdict
from cw.pulls.checks import judge_checks
from cw.pulls.record import PullRecord
from cw.pulls.states import PullState
from tests.mutants import Mutant
from workerhost.clones import merged_branch
from workerhost.merges import Merges

_PASS = "tests/integration/test_follow_pulls.py::"
_REPAIRS = "tests/integration/test_repairs_by_pass.py::"
_STOPPED = "tests/integration/test_repairs_stopped.py::"
_FORGOTTEN = "tests/integration/test_repairs_forgotten.py::"
_REVIEWS = "tests/integration/test_repairs_of_reviews.py::"
_READINGS = "tests/integration/test_readings_by_pass.py::"
_REVIEW = "tests/integration/test_review.py::"
_MERGES = "tests/integration/test_merges.py::"
_TABLE = "tests/unit/test_pull_verdict.py::"


def _anybody_is_heard() -> None:
    Rights.may_write = lambda *_: True  # type: ignore[method-assign]


def _judged_at_once() -> None:
    made = verdict.Seen.__init__

    def never_quiet(self: Any, **given: Any) -> None:
        made(self, **given | {"quiet": timedelta()})

    verdict.Seen.__init__ = never_quiet  # type: ignore[method-assign]


def _every_red_is_ours() -> None:
    def ours(checks: Any, _on_base: Any, *when: Any) -> Any:
        return judge_checks(checks, (), *when)

    verdict.judge_checks = ours  # type: ignore[assignment,attr-defined]


def _told_each_time() -> None:
    def news(record: PullRecord) -> str:
        return str(record.cause) if record.state is PullState.NEEDS_YOU else ""

    follow.news = news  # type: ignore[attr-defined]


def _pushes_are_nobodys() -> None:
    follow.Listener._pushed = lambda *_, **__: ""  # type: ignore[attr-defined,method-assign]


def _mended_for_ever() -> None:
    next_step.why_over = lambda *_: ""


def _all_conflicts_at_once() -> None:
    next_step.first_in_line = lambda *_: None  # type: ignore[attr-defined]


def _goes_on_whatever_a_person_does() -> None:
    def tidy(_self: Any) -> None: ...

    Mender.tidy = tidy  # type: ignore[assignment,method-assign]


def _forgotten_with_the_broker() -> None:
    def recalled(record: PullRecord, _task: Any) -> PullRecord:
        return record

    beginning.recalled = recalled  # type: ignore[assignment,attr-defined]


def _answered_again_and_again() -> None:
    made = listening.wants  # type: ignore[attr-defined]

    def unanswered(threads: Any, changes: Any, _answered: Any) -> Any:
        return made(threads, changes, ())

    listening.wants = unanswered  # type: ignore[assignment,attr-defined]


def _any_head_is_reviewed() -> None:
    review.same_head = lambda *_: True  # type: ignore[attr-defined]


def _any_diff_will_do() -> None:
    review_plan.same_head = lambda *_: True  # type: ignore[attr-defined]


def _broker_says_what_is_merged() -> None:
    def head(self: Merges, record: PullRecord, worker: str) -> str:
        return record.head

    Merges._merged_head = head  # type: ignore[method-assign]


def _branches_go_with_what_was_not_merged() -> None:
    merged_branch._within = lambda *_: True


def _cleared_while_it_is_wanted() -> None:
    Merges._is_wanted = lambda *_: False  # type: ignore[method-assign]


def _read_for_ever() -> None:
    readings.MOST = 1_000


def _findings_again_and_again() -> None:
    made = repaired.repaired

    def not_seen_to(record: PullRecord, task: Any) -> PullRecord:
        return made(record, task).model_copy(update={"readings": record.readings})

    mending.repaired = not_seen_to  # type: ignore[attr-defined]


def _its_author_reads_it() -> None:
    def author(*given: Any) -> str:
        return str(given[1].worker)

    reading.reader_for = author  # type: ignore[assignment,attr-defined]


MUTANTS = {
    "a pull request that nobody can read is read for ever": Mutant(
        f"{_READINGS}test_reader_that_came_to_nothing_is_asked_once_more_of_another_then_ready_without",
        _read_for_ever,
    ),
    "findings go back to the author again and again": Mutant(
        f"{_READINGS}test_findings_go_back_to_the_author_once_and_nobody_reads_it_again",
        _findings_again_and_again,
    ),
    "the author reads its own pull request": Mutant(
        f"{_READINGS}test_draft_is_read_by_a_worker_that_did_not_make_it_before_it_is_ready",
        _its_author_reads_it,
    ),
    "a pull request is mended for ever": Mutant(
        f"{_REPAIRS}test_liar_is_out_after_three_repairs_and_a_person_is_told_once",
        _mended_for_ever,
    ),
    "all conflicts on one file are mended at once": Mutant(
        f"{_REPAIRS}test_five_pull_requests_on_one_file_cost_at_most_five_repairs",
        _all_conflicts_at_once,
    ),
    "a repair goes on whatever a person does": Mutant(
        f"{_STOPPED}test_what_a_person_does_ends_a_repair_in_the_same_pass",
        _goes_on_whatever_a_person_does,
    ),
    "what was tried is forgotten with the broker": Mutant(
        f"{_FORGOTTEN}test_broker_that_forgot_is_told_of_what_was_tried_by_the_archives",
        _forgotten_with_the_broker,
    ),
    "a remark is seen to again and again": Mutant(
        f"{_REVIEWS}test_thread_is_seen_to_once_until_somebody_says_more",
        _answered_again_and_again,
    ),
    "a stranger's word takes a pull request": Mutant(
        f"{_PASS}test_person_says_stop_and_gives_it_back", _anybody_is_heard
    ),
    "pull requests are judged while they move": Mutant(f"{_TABLE}test_verdict", _judged_at_once),
    "what is red on the base is ours": Mutant(
        f"{_PASS}test_red_on_the_base_as_well_is_not_ours", _every_red_is_ours
    ),
    "a person is told of the same again and again": Mutant(
        f"{_PASS}test_a_person_is_told_once_of_each_cause_and_head", _told_each_time
    ),
    "a head is reviewed that nobody was shown": Mutant(
        f"{_REVIEW}test_only_the_head_that_was_shown_is_reviewed", _any_head_is_reviewed
    ),
    "the diff of another head is shown": Mutant(
        f"{_REVIEW}test_diff_is_of_the_head_that_stands_beside_it", _any_diff_will_do
    ),
    "the broker's word that it is merged is enough": Mutant(
        f"{_MERGES}test_broker_s_word_that_it_is_merged_is_not_enough", _broker_says_what_is_merged
    ),
    "a merge is cleared while a task may want it": Mutant(
        f"{_MERGES}test_what_a_task_may_want_waits_for_its_end", _cleared_while_it_is_wanted
    ),
    "a branch goes with commits that were not merged": Mutant(
        "tests/integration/test_merged_branch.py::test_branch_stays_with_what_is_nowhere_else",
        _branches_go_with_what_was_not_merged,
    ),
    "a person's push takes nothing": Mutant(
        f"{_PASS}test_push_of_a_person_means_hands_off_and_of_a_bot_does_not", _pushes_are_nobodys
    ),
}
