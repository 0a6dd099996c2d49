"""What is said at the end about where a run's time went."""

from __future__ import annotations

from tests.costs import Cost, Costs, dearest


def files(count: int) -> dict[str, Cost]:
    return {f"tests/test_{n}.py": Cost(tests=2, seconds=n * 10.0, cpu=n) for n in range(count)}


def test_ten_files_that_take_most_are_named_the_dearest_first() -> None:
    lines = list(dearest(files(12)))

    assert [one.split()[-1] for one in lines[1:-1]] == [
        f"tests/test_{n}.py" for n in range(11, 1, -1)
    ]
    assert lines[1].split() == ["110", "11", "2", "tests/test_11.py"]
    assert lines[-1].split() == ["660", "66", "24", "all", "12", "files"]


def test_nothing_is_said_about_a_few_files() -> None:
    assert list(dearest(files(3))) == []


def test_pytest_can_keep_it_among_others() -> None:
    """It does so as soon as tests of several folders run."""
    assert len({Costs(), Costs()}) == 2
