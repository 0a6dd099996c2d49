"""The stand-in started by hand."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.needs import need

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_told_to_stop(tmp_path: Path, end: signal.Signals) -> None:
    need("git")
    command = [sys.executable, "-m", "tests.standins.github", "--root", str(tmp_path / "hub")]
    options = ["--repo", "acme/app", "--token", "secret"]
    with subprocess.Popen(
        [*command, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            headers = {"Authorization": "token secret"}
            repo = requests.get(f"{url}/repos/acme/app", headers=headers, timeout=10).json()
            process.send_signal(end)
            code = process.wait(timeout=10)
        finally:
            process.kill()

    assert (repo["full_name"], repo["permissions"]["push"]) == ("acme/app", True)
    assert code == 0
