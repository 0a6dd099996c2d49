"""What is behind the checks that a token may read."""

from __future__ import annotations

from typing import Any

import pytest

from cw.forges.watched import CheckState, Unread
from cw.github.head_checks import Found, unread_of

ACTIONS = "actions: read"


def job(status: str, conclusion: str | None = None) -> dict[str, Any]:
    return {"__typename": "CheckRun", "status": status, "conclusion": conclusion}


def status(state: str) -> dict[str, Any]:
    return {"__typename": "StatusContext", "state": state}


GOOD, BAD, RUNS = job("COMPLETED", "SUCCESS"), job("COMPLETED", "FAILURE"), job("IN_PROGRESS")
CANCELLED, SKIPPED = job("COMPLETED", "CANCELLED"), job("COMPLETED", "SKIPPED")
RED, PENDING, GREEN = CheckState.RED, CheckState.PENDING, CheckState.GREEN


@pytest.mark.parametrize(
    ("rollup", "rows", "lacks", "unread"),
    [
        # nobody says what all come to
        (None, [GOOD], [], None),
        (None, [], [], None),
        (None, [GOOD], [ACTIONS], Unread(lacks=(ACTIONS,))),
        # there are none
        ("", [], [ACTIONS], None),
        # all is well, whatever it is
        ("SUCCESS", [GOOD], [], None),
        ("SUCCESS", [GOOD], [ACTIONS], None),
        ("SUCCESS", [], [ACTIONS], Unread(state=GREEN, lacks=(ACTIONS,))),
        # what can be read explains it, or does not
        ("FAILURE", [GOOD, BAD], [], None),
        ("FAILURE", [CANCELLED], [], None),
        ("ERROR", [status("ERROR")], [], None),
        ("FAILURE", [GOOD, SKIPPED, RUNS], [], Unread(state=RED)),
        ("ERROR", [status("PENDING")], [ACTIONS], Unread(state=RED, lacks=(ACTIONS,))),
        ("PENDING", [GOOD, RUNS], [], None),
        ("EXPECTED", [status("EXPECTED")], [], None),
        ("PENDING", [GOOD, BAD], [], Unread(state=PENDING)),
        ("NEW_WORD", [GOOD], [], None),
    ],
)
def test_what_cannot_be_read(
    rollup: str | None, rows: list[Any], lacks: list[str], unread: Unread | None
) -> None:
    assert unread_of(rollup, Found(tuple(rows), tuple(lacks))) == unread
