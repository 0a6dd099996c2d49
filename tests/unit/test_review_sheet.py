"""What a person reads of a pull request, and the table at the end."""

from __future__ import annotations

import click
import pytest

from cw.cli.views.sheets import failed, outcome_cells, outcome_line, sheet_text, summary
from cw.forges.reviewing import Diff
from cw.operations.views.pulls import PullRow, pull_rows
from cw.operations.views.reviews import Act, ReviewRow, Sheet, Tasks, review_row, sheet
from cw.pulls.record import PullRecord
from cw.states import State
from tests.making import NOW, make_outcome, make_spec, make_task
from tests.unit.pulling import make_record

DIFF = Diff("diff --git a/a b/a\n+\x1b[31mred\x07\n")


def pulled(record: PullRecord) -> PullRow:
    (row,) = pull_rows([record], [])
    return row


def made(diff: Diff = DIFF, report: str = "") -> Sheet:
    record = make_record(url="https://forge.test/acme/app/pull/12", issue=22)
    task = make_task(
        State.DONE, spec=make_spec(title="It breaks"), outcome=make_outcome(report=report)
    )
    return sheet(record, pulled(record), Tasks(made=task, reads=None), diff, "squash")


def text(of: Sheet) -> str:
    return click.unstyle(sheet_text(of, NOW, "1 of 2"))


def row(act: Act, why: str = "", **changed: object) -> ReviewRow:
    found = review_row(make_record(), act)
    return (found.left(why) if why else found).model_copy(update=changed)


def test_nothing_of_an_agent_s_reaches_the_terminal_as_it_is() -> None:
    shown = text(made(report="I did\x1b]0;evil\x07 it\u202e"))

    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert "\n  I did it\n" in shown
    assert shown.endswith("\n+red\n")


def test_issue_is_told_with_its_title_and_address() -> None:
    shown = text(made())

    assert "issue      #22 It breaks\n           https://forge.test/acme/app/issues/22\n" in shown


def test_pull_request_whose_task_is_forgotten_is_shown_without_a_report() -> None:
    record = make_record(url="https://forge.test/acme/app/pull/12", issue=None)

    found = sheet(record, pulled(record), Tasks(made=None, reads=None), DIFF, "squash")

    assert (found.report, found.issue_title, found.issue_url) == ("", "", "")
    assert "report" not in text(found)


def test_long_report_says_where_the_rest_is() -> None:
    found = made(report="\n".join(f"line {at}" for at in range(35)))

    shown = text(found)

    assert "  line 29\n" in shown
    assert "line 30" not in shown
    assert f"  … 5 more lines: cw show {found.pull.task}\n" in shown


@pytest.mark.parametrize(
    ("diff", "words"),
    [
        (Diff("+a\n", cut=True), "(the diff is longer than this: o opens"),
        (Diff("", cut=True), "(the diff is too large for here: o opens"),
    ],
)
def test_diff_that_is_not_whole_says_so(diff: Diff, words: str) -> None:
    assert words in text(made(diff))


def test_line_above_the_keys_says_which_head() -> None:
    shown = summary(made())

    assert "checks: not known yet" in shown
    assert shown.endswith(f"head {'a' * 12}")


@pytest.mark.parametrize(
    ("rows", "cells", "bad"),
    [
        ([row(Act.MERGE)], ["merged", "", ""], False),
        ([row(Act.APPROVE), row(Act.MERGE)], ["approved, merged", "", ""], False),
        ([row(Act.APPROVE), row(Act.SKIP)], ["approved", "", "cw merge acme/app#12"], False),
        ([row(Act.APPROVE), row(Act.MERGE, "so")], ["approved", "so", "cw review X"], True),
        ([row(Act.MERGE, "so"), row(Act.SKIP)], ["nothing", "so", "cw review X"], True),
        ([row(Act.MERGE, "so"), row(Act.CLOSE)], ["closed", "", ""], False),
        ([row(Act.SKIP)], ["skipped", "", ""], False),
        ([row(Act.SKIP, "gone")], ["nothing", "gone", "cw review X"], True),
    ],
)
def test_table_tells_what_was_done_and_what_was_tried_last(
    rows: list[ReviewRow], cells: list[str], bad: bool
) -> None:
    ((name, *found),) = outcome_cells(rows)

    assert found == [cell.replace("X", name) for cell in cells]
    assert failed(rows) is bad


@pytest.mark.parametrize(
    ("of", "line"),
    [
        (row(Act.MERGE, commit="b" * 40), f"acme/app#12 is merged as {'b' * 12}"),
        (row(Act.CHANGES, how="review"), "acme/app#12 has a request for changes"),
        (row(Act.CLOSE, "so"), "acme/app#12 is not closed: so"),
        (row(Act.SKIP, "so"), "acme/app#12: so"),
    ],
)
def test_what_has_just_been_done_is_a_line(of: ReviewRow, line: str) -> None:
    assert outcome_line(of) == line
