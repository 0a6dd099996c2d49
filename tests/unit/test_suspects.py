"""Which runs are suspected of killing their hosts, after which stories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cw.homes.files import write_private
from cw.homes.layout import Home
from workerhost.runs import crash_loops
from workerhost.runs.crash_loops import Standing

LIMIT = 2
TRUSTED, SUSPECT, GUILTY = Standing.TRUSTED, Standing.SUSPECT, Standing.GUILTY


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "01")
    made.run.mkdir(parents=True)
    made.journal.write_text("{}", "utf-8")
    return made


@pytest.mark.parametrize(
    ("story", "standing"),
    [
        # "take" without anything after it: the host died.
        ("", TRUSTED),  # its first host died before it wrote anything down
        ("take", SUSPECT),
        ("take leave", TRUSTED),
        ("take leave take leave take leave", TRUSTED),
        ("take leave take", SUSPECT),
        ("take take alone", GUILTY),
        ("take take alone clear", SUSPECT),  # it lived on, and died of something else
        ("take take alone clear leave", SUSPECT),  # what it did before is not forgotten
        ("take take alone leave", SUSPECT),  # it was told to end while it tried
        ("take broken", TRUSTED),  # what cannot be read says that one host died
        ("take broken take", SUSPECT),
    ],
)
def test_standing_of_a_run_after(home: Home, story: str, standing: Standing) -> None:
    steps: dict[str, Callable[[], object]] = {
        "take": lambda: crash_loops.take(home, LIMIT),
        "alone": lambda: crash_loops.alone(home),
        "clear": lambda: crash_loops.clear(home),
        "leave": lambda: crash_loops.leave(home),
        "broken": lambda: write_private(home.keeper, b"{"),
    }
    for step in story.split():
        steps[step]()

    assert crash_loops.take(home, LIMIT) is standing


def test_what_is_said_of_a_run_that_is_over_is_not_kept_for_the_next(home: Home) -> None:
    home.journal.unlink()

    crash_loops.alone(home)
    crash_loops.leave(home)

    assert not home.keeper.exists()
