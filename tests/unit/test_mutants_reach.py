"""Guards that can be taken out are still where their mutants take them out, and so are their tests.

Whether a test then goes red takes most of an hour to see (`tests/mutants/`); that code moved and
left a mutant behind is seen here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from bench.chaos.mutants import MUTANTS
from tests.likeness import unlike
from tests.lookups import lookups
from tests.mutants import VARIABLE, mutants
from tests.silenced import Place

ROOT = Path(__file__).parents[2]

GUARDS = """
LIMIT, EARLY = 5, 7
def inner(): return LIMIT
def asked(by=EARLY): return inner()
def bound(): return 1
def late(): return 1
def attribute(): return 1
"""
CALLER = """
import guards
from guards import bound
def call():
    from guards import late
    return bound() + late() + guards.attribute()
"""


def python(*args: str, more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != VARIABLE}
    return subprocess.run(
        [sys.executable, *args],
        cwd=ROOT,
        env=env | more,
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_mutant_replaces_what_is_looked_up_there(tmp_path: Path) -> None:
    """Also those of the gate. If not: find where the guard is now."""
    done = python("-m", "tests.silenced", more={"TMPDIR": str(tmp_path)})

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}


def test_each_mutant_names_a_test_that_is_there() -> None:
    named = sorted({one.test for one in mutants().values()})

    done = python("-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *named, more={})

    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-3000:]


def test_each_mutant_of_the_gate_names_a_count() -> None:
    """One is an entry of a table, others are what a scene returns."""
    gate = ROOT / "bench" / "chaos"
    files = [*gate.glob("counts/*.py"), gate / "scenes.py"]
    texts = "".join(path.read_text("utf-8") for path in files)

    missing = [one.notices for one in MUTANTS.values() if f'"{one.notices}":' not in texts]

    assert missing == []


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("LIMIT", True),
        ("inner", True),
        ("late", True),
        ("attribute", True),
        ("EARLY", False),  # is asked for once, when the function is made
        ("bound", False),  # the caller has its own by then
        ("moved", False),  # to another module
    ],
)
def test_another_object_counts_where_code_asks_for_it_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, counts: bool
) -> None:
    (tmp_path / "guards.py").write_text(GUARDS, "utf-8")
    (tmp_path / "caller.py").write_text(CALLER, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    guards, caller = import_module("guards"), import_module("caller")
    place = Place(guards, "guards", dict(vars(guards)))
    vars(guards)[name] = 0

    silent = place.silent(name, lookups([guards, caller]))
    sys.modules.pop("guards"), sys.modules.pop("caller")

    assert bool(silent) is not counts


@pytest.mark.parametrize(
    ("old", "new", "alike"),
    [
        (lambda one: one, lambda _: 0, True),
        (lambda one: one, lambda *_: 0, True),
        (lambda one, two: one + two, lambda _: 0, False),
        (lambda one, two=1: one + two, lambda _: 0, False),  # some caller may say it
        (lambda one, two=1: one + two, lambda _, **__: 0, True),
        (lambda one, *, two: one + two, lambda *_: 0, False),
        (lambda one, *, two: one + two, lambda *_, two: two, True),
        (lambda one: one, lambda _, two: two, False),
        (lambda one: one, frozenset(), True),  # is no function
    ],
)
def test_function_that_takes_something_else_is_none_in_its_place(
    old: object, new: object, alike: bool
) -> None:
    assert bool(unlike(old, new)) is not alike


def test_what_was_changed_is_put_back() -> None:
    class Base:
        def held(self) -> int:
            return 1

    class Guard(Base):
        limit = 5

    place = Place(Guard, "Guard", dict(vars(Guard)))
    Guard.limit, Guard.held = 6, lambda _: 2  # type: ignore[method-assign,assignment]
    changed = place.changed()

    for one in changed:
        place.undo(one)

    assert sorted(changed) == ["held", "limit"]
    assert (Guard.limit, Guard().held()) == (5, 1)
    assert place.changed() == []
