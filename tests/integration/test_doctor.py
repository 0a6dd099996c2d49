"""`cw doctor` as it is met: what is to be done next, what is the same said once, and what agents
find looked for where they are.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from cw.credentials.agentenv import own_gh, search_path
from cw.homes.home import make_home, templates_dir
from cw.settings import Settings
from cw.store.store import Store
from tests.needs import require
from tests.standins.github import GitHubStandIn
from tests.walls import AROUND_REHEARSAL, WALLS, outer_wall, owned
from workerhost.walls.sandbox import View, readable_paths, wrap

Cw = Callable[..., "subprocess.CompletedProcess[str]"]
NOWHERE = "http://127.0.0.1:9"


def checks(cw: Cw, *words: str, **more: str) -> dict[str, dict[str, Any]]:
    done = cw("doctor", *words, "--json", **more)
    assert done.returncode in {0, 1}, done.stderr
    return {one["name"]: one for one in json.loads(done.stdout)["checks"]}


def test_before_anything_was_started_the_next_steps_are_said_and_nothing_fails_for_them(
    cw: Cw,
) -> None:
    text = cw("doctor").stdout

    assert "next  broker: not started yet" in text
    assert "→ cw up -d" in text
    assert "next  workers: none in" in text
    assert text.splitlines()[-1].endswith(", 2 to do next")


def test_what_is_the_same_for_many_workers_is_said_once(
    cw: Cw, cw_environ: dict[str, str], store: Store
) -> None:
    cw("init", "01..12")
    Path(cw_environ["CW_WORKERS_ROOT"], "03", ".zshenv").chmod(0o644)

    text = cw("doctor").stdout

    assert text.count("ANTHROPIC_API_KEY and CLAUDE_CODE_OAUTH_TOKEN are missing") == 1
    assert "fail  workers 01..12 tokens:" in text
    assert f"→ Set one in {cw_environ['CW_WORKERS_ROOT']}/ID/.zshenv" in text
    assert "ok    workers 01 02 04..12 files: private" in text
    assert "fail  worker 03 files: others may use" in text
    assert len([one for one in checks(cw) if one.endswith(" tokens")]) == 12


def tool(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "my-tool"
    path.write_text("#!/bin/sh\necho my-tool 7.1\n", "utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("isolation", [AROUND_REHEARSAL, "none"])
def test_program_counts_when_agents_find_it(
    cw: Cw, cw_environ: dict[str, str], tmp_path: Path, isolation: str
) -> None:
    path = tool(tmp_path / "bin")
    cw_environ["PATH"] = f"{path.parent}:{cw_environ['PATH']}"
    cw_environ["CW_ISOLATION"] = isolation

    found = checks(cw, "my-tool", "no-such-tool")

    here = found["agents' my-tool"]
    assert (here["state"], str(path) in here["text"]) == ("warn", True)
    assert f"CW_SANDBOX_READ={path.parent}" in here["fix"]
    assert found["agents' no-such-tool"]["text"] == "not installed"
    assert found["agents' git"]["text"].startswith("git version")
    assert found["agents' python3"]["text"].startswith("Python 3")

    there = checks(cw, "my-tool", CW_SANDBOX_READ=str(path.parent))["agents' my-tool"]

    assert (there["state"], there["text"]) == ("ok", "my-tool 7.1")


@pytest.mark.parametrize("word", ["--version", "../x", "a b", "$(id)x/y", ""])
def test_what_is_no_programs_name_is_refused(cw: Cw, word: str) -> None:
    done = cw("doctor", "--", word)

    assert done.returncode == 2
    assert "is no program's name" in done.stderr


def test_gh_that_came_with_cw_is_found_by_agents(tmp_path: Path) -> None:
    """Where the system has none, it is the one on their PATH."""
    require(WALLS, "a bwrap that works")
    settings = Settings(isolation=AROUND_REHEARSAL)
    require(bool(own_gh(settings)), "gh of the extra gh")
    home = owned(make_home(tmp_path / "workers", "01", {}, templates_dir()))
    last = search_path(settings, {"PATH": "/usr/bin"}).split(":")[-1]

    done = subprocess.run(
        wrap(
            ["/bin/sh", "-c", f"cd {last} && ./gh --version && ls"],
            outer_wall(),
            home,
            View(readable=readable_paths(settings, Path("/bin/sh"), "")),
        ),
        env={"PATH": "/usr/bin:/bin", "HOME": str(home.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.startswith("gh version"), done.stderr
    assert done.stdout.splitlines()[-1] == "gh"
    assert "python" not in done.stdout


@contextmanager
def models(known: dict[str, int]) -> Iterator[tuple[str, list[str]]]:
    """An API that lists models for these logins, and says what it was asked with."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            login = self.headers["x-api-key"] or self.headers["authorization"].split()[-1]
            asked.append(f"{login} {self.path}")
            self.send_response(known.get(login, 401))
            self.send_header("Location", f"http://{self.headers['Host']}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_each_login_is_tried_once_by_a_call_that_costs_nothing(cw: Cw) -> None:
    with models({"good": 200, "narrow": 403, "away": 503, "gateway": 404}) as (
        url,
        asked,
    ):
        for workers, login in (
            (("01", "02"), {"ANTHROPIC_API_KEY": "good"}),
            (("03",), {"CLAUDE_CODE_OAUTH_TOKEN": "narrow"}),
            (("04",), {"CLAUDE_CODE_OAUTH_TOKEN": "revoked"}),
            (("05",), {"ANTHROPIC_API_KEY": "away"}),
            (("07",), {"ANTHROPIC_API_KEY": "gateway"}),
        ):
            assert cw("init", *workers, ANTHROPIC_BASE_URL=url, **login).returncode == 0
        cw("init", "08", ANTHROPIC_BASE_URL=NOWHERE, ANTHROPIC_API_KEY="good")

        found = checks(cw)
        text = cw("doctor").stdout

    logins = {name.split()[1]: one["state"] for name, one in found.items() if "login" in name}
    assert logins == {
        "01": "ok",
        "03": "ok",
        "04": "fail",
        "05": "warn",
        "07": "ok",
        "08": "warn",
    }
    assert "CLAUDE_CODE_OAUTH_TOKEN is not accepted" in found["worker 04 login"]["text"]
    assert sorted(one.split()[0] for one in asked) == sorted(
        2 * ["good", "narrow", "revoked", "away", "gateway"]
    )
    assert "revoked" not in text


def test_login_is_not_led_elsewhere(cw: Cw) -> None:
    with models({"moved": 302}) as (url, asked):
        cw("init", "01", ANTHROPIC_BASE_URL=url, ANTHROPIC_API_KEY="moved")

        assert checks(cw)["worker 01 login"]["state"] == "warn"

    assert asked == ["moved /v1/models?limit=1"]


def test_token_that_may_not_read_checks_is_told_what_it_lacks(cw: Cw, tmp_path: Path) -> None:
    """Of private repositories; what is public everybody may read."""
    with GitHubStandIn(tmp_path / "hub") as hub:
        writes = {"contents": "write", "issues": "write", "pull_requests": "write"}
        for repo in ("acme/app", "acme/secret"):
            hub.add_repo(repo, private=repo == "acme/secret")
            hub.set_permission(repo, "bot", "write")
        hub.add_token("bot", "ghp_none", grants=writes)
        hub.add_token("bot", "ghp_some", grants=writes | {"actions": "read"})
        hub.add_token("bot", "ghp_all", grants=writes | {"actions": "read", "statuses": "read"})
        hub.add_token("bot", "ghp_classic")
        more = {"CW_GITHUB_API_URL": hub.api_url, "CW_ASSIGN_REPOS": "acme/app,acme/secret"}

        def told(token: str) -> tuple[dict[str, str], dict[str, str]]:
            found = checks(cw, GH_TOKEN=token, **more)
            return found["github token, acme/app"], found["github token, acme/secret"]

        none, some, whole, classic = map(told, ("ghp_none", "ghp_some", "ghp_all", "ghp_classic"))

    assert [public["state"] for public, _ in (none, some, whole, classic)] == ["ok"] * 4
    assert [private["state"] for _, private in (none, some, whole, classic)] == [
        "warn",
        "warn",
        "ok",
        "ok",
    ]
    assert none[1]["fix"].startswith("Give it actions: read and commit statuses: read:")
    assert some[1]["fix"].startswith("Give it commit statuses: read:")


def test_github_token_without_a_repository_is_tried_by_a_call_that_no_limit_counts(
    cw: Cw, tmp_path: Path
) -> None:
    with GitHubStandIn(tmp_path / "hub") as hub:
        hub.add_token("bot", "ghp_good")
        more = {"CW_GITHUB_API_URL": hub.api_url, "CW_ASSIGN_REPOS": ""}

        good = checks(cw, GH_TOKEN="ghp_good", **more)["github token"]
        bad = checks(cw, GH_TOKEN="ghp_bad", **more)["github token"]

    assert (good["state"], "GitHub knows it" in good["text"]) == ("ok", True)
    assert bad["state"] == "fail"
