"""What the host process loads before it knows what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_host_without_github_never_loads_its_client() -> None:
    """It takes a quarter of a host's start."""
    code = "import sys, workerhost.__main__; sys.exit('github' in sys.modules)"

    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False)

    assert done.returncode == 0


def test_host_says_once_which_names_of_settings_are_old(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("run_rest = 5\n")
    told = {"CW_CONFIG": str(config), "CW_WORKERS_ROOT": f"{config}/workers"}

    done = subprocess.run(
        [sys.executable, "-m", "workerhost"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **told},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    first, second = done.stderr.splitlines()
    assert first == f"workerhost: warning: {config} has old names: run_rest is now rest in [run]"
    assert "cannot be used" in second
    assert done.returncode == 2
