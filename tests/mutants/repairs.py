"""Guards at repairs of pull requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cw.homes.layout import Home
from cw.models import Task
from tests.mutants import Mutant
from workerhost.prompts import repairing, trusted_reviews
from workerhost.runs import sessions
from workerhost.settling import repaired, settle
from workerhost.settling.changed_lines import Lines

_SESSIONS = "tests/unit/test_sessions.py::"
_TOLD = "tests/unit/test_repair_prompt.py::"
_SETTLED = "tests/integration/test_repair_settled.py::"


def _record_is_believed() -> None:
    def named(home: Home, task: Task) -> str:
        return (task.spec.repair and task.spec.repair.session) or ""

    sessions._lent = named


def _everybody_is_heard() -> None:
    vars(trusted_reviews)["heard_of"] = lambda said, _writes: tuple(said)


def _quotes_are_told() -> None:
    repairing.without_quotes = lambda text: text


def _nothing_is_weighed() -> None:
    vars(repaired)["counted"] = lambda _rows: Lines()


def _claims_are_answers() -> None:
    def believed(evidence: Any, *_: Any) -> Any:
        return replace(evidence, answered=True)

    vars(settle)["with_answers"] = believed


MUTANTS = {
    "a repair takes the session that its record names": Mutant(
        f"{_SESSIONS}test_record_alone_is_not_believed", _record_is_believed
    ),
    "strangers' reviews reach a repair": Mutant(
        f"{_TOLD}test_words_of_others_and_hidden_ones_are_left_out", _everybody_is_heard
    ),
    "what a review quotes reaches a repair": Mutant(
        f"{_TOLD}test_words_of_others_and_hidden_ones_are_left_out", _quotes_are_told
    ),
    "a repair may change tests until they are green": Mutant(
        f"{_SETTLED}test_tests_that_were_made_to_fit_are_a_person_s_to_see", _nothing_is_weighed
    ),
    "a repair's word for it is enough": Mutant(
        f"{_SETTLED}test_review_may_be_answered_alone", _claims_are_answers
    ),
}
