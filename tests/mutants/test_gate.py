"""Each guard that is taken out turns its count in the gate red."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from bench.chaos.fleet import ROOT
from bench.chaos.mutants import MUTANTS

_SECONDS = 600  # on a busy machine


@pytest.mark.timeout(660)
@pytest.mark.parametrize("name", MUTANTS)
def test_without_its_guard_a_count_is_red(name: str) -> None:
    one = MUTANTS[name]
    options = [*shlex.split(one.run), "--seconds", str(_SECONDS // 2)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.chaos", "--mutant", name, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )

    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-1000:]
    assert f"was noticed by {one.notices!r}" in done.stdout, done.stdout[-3000:]
