"""What agents make endless or very deep holds up nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cw.homes.layout import Home
from workerhost.claude.policy import forget_what_was_allowed


def test_token_that_never_comes_is_soon_given_up() -> None:
    """In a process of its own, which can be ended: a search holds up all threads."""
    code = "from cw.redaction.redact import Redactor; Redactor()('eyJ' * 330_000)"
    mutant = "from tests.mutants import take_out; take_out();"
    subprocess.run([sys.executable, "-c", mutant + code], check=True, timeout=40)


def test_very_deep_folder_is_out_of_the_way_at_once(tmp_path: Path) -> None:
    home = Home(tmp_path / "01")
    deep = home.path / ".claude.json"
    deep.mkdir(parents=True)
    here = os.open(deep, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)

    try:
        forget_what_was_allowed(home)
        assert not deep.exists()
    finally:
        subprocess.run(["rm", "-rf", str(home.path)], check=True)
