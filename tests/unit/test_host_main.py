"""What the host process loads before it knows what it needs."""

from __future__ import annotations

import subprocess
import sys


def test_host_without_github_never_loads_its_client() -> None:
    """It takes a quarter of a host's start."""
    code = "import sys, workerhost.__main__; sys.exit('github' in sys.modules)"

    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False)

    assert done.returncode == 0
