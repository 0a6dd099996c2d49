"""What a run of tests that was cut short has said until then."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest

from tests.progress import TOLD_SECONDS, Progress

TESTS = Path(__file__).parents[1]
LIMIT = re.compile(r"mark\.timeout\((\d+)\)")


def report(
    when: Literal["setup", "call", "teardown"], outcome: Literal["passed", "failed"] = "passed"
) -> pytest.TestReport:
    place = ("test_a.py", 1, "test_b")
    return pytest.TestReport("test_a.py::test_b", place, {}, outcome, "AssertionError: 1", when)


def test_failure_is_told_with_its_reason_as_soon_as_it_is_known() -> None:
    said: list[str] = []
    progress = Progress(said.append)

    progress.pytest_runtest_logreport(report("setup"))
    progress.pytest_runtest_logreport(report("call", "failed"))

    assert said == ["\ntest_a.py::test_b (call):\nAssertionError: 1"]


def test_now_and_then_it_is_told_how_far_it_is() -> None:
    said: list[str] = []
    now = 10.0
    progress = Progress(said.append, clock=lambda: now)

    for _ in range(3):
        now += TOLD_SECONDS * 0.6
        progress.pytest_runtest_logreport(report("teardown"))

    assert said == [" 144 s, 2 done"]


def test_whoever_may_take_longer_is_not_taken_for_one_that_hangs(
    pytestconfig: pytest.Config,
) -> None:
    texts = [path.read_text("utf-8") for path in TESTS.rglob("*.py")]
    limits = [int(limit) for text in texts for limit in LIMIT.findall(text)]

    assert limits
    assert max(limits) < float(pytestconfig.getini("faulthandler_timeout"))
