"""The stand-in started by hand."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.needs import need
from tests.standins.github import GitHubStandIn

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


def test_app_token_reaches_only_what_it_was_made_for(hub: GitHubStandIn) -> None:
    """A JWT whose signature nobody checks: "iss" 7 in the middle part."""
    hub.add_repo("acme/other")
    hub.add_app(7, "cw", 70, {"acme/app": "write", "acme/other": "write"})
    jwt = {"Authorization": "Bearer e30.eyJpc3MiOiAiNyJ9.e30"}
    wanted: dict[str, Any] = {"repositories": ["app"], "permissions": {"issues": "write"}}
    url = f"{hub.api_url}/app/installations/70/access_tokens"

    made = requests.post(url, headers=jwt, json=wanted, timeout=10).json()
    headers = {"Authorization": f"Bearer {made['token']}"}
    answers = {
        name: requests.post(
            f"{hub.api_url}/repos/acme/{name}/labels",
            headers=headers,
            json={"name": "worker:01"},
            timeout=10,
        ).status_code
        for name in ("app", "other")
    }

    assert answers == {"app": 201, "other": 403}
