"""Each reason has a rule, and is explained where people look for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cw.cli.docs import with_reasons
from cw.reasons import RULES, Charge, Label, Reason, rule_of
from cw.states import OutcomeKind

DOCS = Path(__file__).parents[2] / "docs" / "outcomes.md"
EXPLAINED = DOCS.read_text("utf-8").partition("### What follows")[0]


def test_every_reason_has_a_rule() -> None:
    assert set(RULES) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    assert re.search(rf"`{reason}`", EXPLAINED)


def test_the_table_is_what_the_code_says() -> None:
    text = DOCS.read_text("utf-8")

    assert with_reasons(text) == text, "run: python -m cw.cli.docs"


@pytest.mark.parametrize("reason", Reason)
def test_rules_do_not_contradict_themselves(reason: Reason) -> None:
    """What a person has to move says what to type; what was proven charges nothing; what is given
    up is said on the issue.
    """
    rule = RULES[reason]

    assert bool(rule.next) or not rule.person
    assert rule.kind is not OutcomeKind.SUCCEEDED or rule.charge is Charge.NOTHING
    assert rule.charge is not Charge.GIVEN_UP or rule.label is Label.BLOCKED


@pytest.mark.parametrize("word", ["error_max_turns", "error_during_execution", "", "of a later cw"])
def test_other_words_are_an_agent_s_error(word: str) -> None:
    assert rule_of(word) is RULES[Reason.AGENT_ERROR]
