"""Guards at what counts as a task's own work, and at an agent's last word."""

from __future__ import annotations

from typing import Any

from cw.operations.dispatch import branch_choice
from cw.operations.dispatch.branch_choice import Use
from tests.mutants import Mutant
from workerhost.claude import stream
from workerhost.clones import evidence
from workerhost.settling import breaches, verdict


def _every_branch_is_ours() -> None:
    branch_choice._use = lambda *_: (Use.TAKEN, "")


def _all_of_the_branch_counts() -> None:
    evidence._not_its_own = lambda box, start: [box.place.base_sha]  # noqa: ARG005


def _nothing_is_overwritten() -> None:
    breaches._overwritten = lambda *_: ()  # type: ignore[attr-defined]


def _the_last_result_counts() -> None:
    stream._together = lambda before, now: now  # noqa: ARG005


def _limits_count_after_the_last_word() -> None:
    judge = verdict.judge_process

    def strict(ending: Any, ended: Any, progress: Any, *more: Any) -> Any:
        if ended and ended.cause in verdict._LIMITS:
            progress.result = None
        return judge(ending, ended, progress, *more)

    verdict.judge_process = strict  # type: ignore[assignment]


_WORK = "tests/acceptance/test_work_of_this_task.py::test_only_work_of_this_task_counts"
MUTANTS = {
    "a branch of somebody else's is taken": Mutant(
        "tests/unit/test_choosing.py::test_only_free_branches_and_ours_are_taken",
        _every_branch_is_ours,
    ),
    "what was there before the task counts": Mutant(
        f"{_WORK}[https-agent merges what somebody else had pushed]", _all_of_the_branch_counts
    ),
    "nobody looks for overwritten commits": Mutant(
        "tests/integration/test_breaches.py"
        "::test_commits_that_a_run_found_on_its_branch_and_dropped_are_told",
        _nothing_is_overwritten,
    ),
    "only the last of several results counts": Mutant(
        "tests/unit/test_last_word.py::test_failure_after_finished_work_changes_nothing_about_it",
        _the_last_result_counts,
    ),
    "limits count after the last word": Mutant(
        "tests/unit/test_verdict.py::test_after_a_good_last_word_git_decides",
        _limits_count_after_the_last_word,
    ),
}
