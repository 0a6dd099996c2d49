"""What a run of many tests says at its end of where the time went."""

from __future__ import annotations

from tests.costs import Cores, Cost, cores, dearest


def test_files_that_take_most_come_first_and_the_sum_last() -> None:
    files = {f"test_{n}.py": Cost(tests=1, seconds=n, cpu=n / 2) for n in range(12)}

    head, *lines, last = dearest(files)

    assert head.split() == ["seconds", "CPU", "tests"]
    assert [line.split()[-1] for line in lines] == [f"test_{n}.py" for n in range(11, 1, -1)]
    assert last.split() == ["66", "33", "12", "all", "12", "files"]


def test_few_files_are_not_listed() -> None:
    assert list(dearest({"test_a.py": Cost(tests=1, seconds=9, cpu=1)})) == []


def test_machine_says_how_busy_it_was_meanwhile() -> None:
    assert "for 75% of" in Cores(passed=300, busy=160).words(since=Cores(passed=100, busy=10))


def test_cores_are_never_busier_than_time_passes() -> None:
    before = cores()
    now = cores()

    assert 0 < before.busy < before.passed
    assert now.passed - before.passed >= now.busy - before.busy >= 0
