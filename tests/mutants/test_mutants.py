"""Each guard that is taken out turns its test red: these tests can fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.mutants import VARIABLE, mutants

_SECONDS = 110


@pytest.mark.parametrize("name", sorted(mutants()))
def test_without_its_guard_a_test_fails(name: str) -> None:
    """Not for another reason: the test is found, it is not skipped, and nothing else breaks."""
    if os.environ.get(VARIABLE):
        pytest.skip("a guard is out already")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            mutants()[name].test,
        ],
        env=os.environ | {VARIABLE: name},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )

    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-1000:]
    assert re.search(r"^FAILED ", done.stdout, re.MULTILINE), done.stdout[-3000:]
