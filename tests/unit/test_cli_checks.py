"""`cw doctor` names what is wrong and what to type, and never a token's value."""

import os
from pathlib import Path
from typing import Any

import pytest

from cw.check import Check
from cw.cli.context import Cli
from cw.cli.doctor.broker import broker_checks
from cw.cli.doctor.checks import disk_check
from cw.cli.doctor.workers import mode_check, token_check, worker_checks
from cw.homes.home import make_home, templates_dir
from cw.homes.layout import Home
from cw.services import trouble
from cw.settings import Settings
from tests.walls import AS_ROOT
from workerhost.local.doctor import (
    access_checks,
    agent_check,
    isolation_fix,
    user_checks,
)


def cli(tmp_path: Path, *, environ: dict[str, str] | None = None, **more: str) -> Cli:
    settings = Settings(workers_root=tmp_path / "w", state_dir=tmp_path / "s", **more)  # type: ignore[arg-type]
    return Cli(settings, {}, environ or {})


def home(tmp_path: Path, **tokens: str) -> Home:
    return make_home(tmp_path / "w", "01", tokens, templates_dir())


@pytest.mark.parametrize(
    ("tokens", "state", "says"),
    [
        ({}, "fail", "ANTHROPIC_API_KEY and CLAUDE_CODE_OAUTH_TOKEN are missing"),
        ({"GH_TOKEN": "secret"}, "fail", "are missing"),
        ({"ANTHROPIC_API_KEY": "secret"}, "warn", "GH_TOKEN is missing"),
        (
            {"ANTHROPIC_API_KEY": "secret", "CLAUDE_CODE_OAUTH_TOKEN": "secret"},
            "warn",
            "the API key wins",
        ),
        (
            {"ANTHROPIC_API_KEY": "secret", "GH_TOKEN": "secret"},
            "ok",
            "ANTHROPIC_API_KEY, GH_TOKEN",
        ),
        ({"ANTHROPIC_API_KEY": "secret", "GH_TOKEN": "ghp_secret"}, "warn", "every repository"),
    ],
)
def test_tokens_of_a_worker(tmp_path: Path, tokens: dict[str, str], state: str, says: str) -> None:
    found = token_check(home(tmp_path, **tokens), cli(tmp_path))

    assert found.state == state
    assert says in found.text
    assert "secret" not in found.text + found.fix
    assert bool(found.fix) == (state != "ok")


def test_token_that_the_host_hands_over_counts(tmp_path: Path) -> None:
    settings = Settings(workers_root=tmp_path / "w", agent_env=("ANTHROPIC_API_KEY", "GH_TOKEN"))
    environ = {"ANTHROPIC_API_KEY": "x", "GH_TOKEN": "y"}

    assert token_check(home(tmp_path), Cli(settings, {}, environ)).state == "ok"


def test_home_that_others_can_read_fails(tmp_path: Path) -> None:
    made = home(tmp_path)
    assert mode_check(made) == Check("worker 01 files", "ok", "private")

    made.zshenv.chmod(0o644)

    found = mode_check(made)
    assert found.state == "fail"
    assert str(made.zshenv) in found.text
    assert found.fix == f"chmod -R go= {made.path}"


@pytest.mark.parametrize(
    ("more", "state", "says"),
    [
        ({"isolation": "none"}, "ok", "agents have a token"),
        ({"isolation": "none", "github_access": "host"}, "fail", "needs bubblewrap"),
        ({"github_app_id": "7", "github_app_key_file": Path("/nowhere")}, "fail", "private key"),
    ],
)
def test_who_has_github_tokens(tmp_path: Path, more: dict[str, Any], state: str, says: str) -> None:
    (found,) = access_checks(cli(tmp_path, **more).settings)

    assert found.state == state
    assert says in found.text
    assert bool(found.fix) == (state != "ok")


def test_worker_of_a_host_that_pushes_needs_no_token_of_its_own(tmp_path: Path) -> None:
    pushing = cli(tmp_path, github_access="host", github_token="secret")

    found = token_check(home(tmp_path, ANTHROPIC_API_KEY="x"), pushing)

    assert (found.state, found.text) == ("ok", "ANTHROPIC_API_KEY")


@pytest.mark.parametrize("restricted", ["1\n", "0\n", ""])
def test_apparmor_s_rule_is_advised_before_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restricted: str
) -> None:
    """Switching the restriction off opens the whole machine to whatever makes namespaces."""
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("platform.system", lambda: "Linux")
    switch = tmp_path / "apparmor_restrict_unprivileged_userns"
    if restricted:
        switch.write_text(restricted, "ascii")

    said = isolation_fix(switch)

    rule, off = said.find("deploy/apparmor/cw-bwrap"), said.find("restrict_unprivileged_userns=0")
    assert (0 < rule < off) if restricted == "1\n" else rule == off == -1


def test_no_workers_are_a_next_step(tmp_path: Path) -> None:
    (found,) = worker_checks(cli(tmp_path))

    assert (found.state, found.fix) == ("next", "cw init 01")


def test_broker_that_ended_saying_why_fails_though_it_left_no_address(tmp_path: Path) -> None:
    here = cli(tmp_path)
    (tmp_path / "s").mkdir()
    trouble.keep(here.settings, "broker", "its disk is full")

    (found,) = broker_checks(here)

    assert found.state == "fail"
    assert "its disk is full" in found.text


def test_old_claude_fails_with_the_version_wanted(tmp_path: Path) -> None:
    old = tmp_path / "claude"
    old.write_text("#!/bin/sh\necho '2.1.197 (Claude Code)'\n", "utf-8")
    old.chmod(0o700)

    found = agent_check(cli(tmp_path, claude=str(old)).settings, {})

    assert found.state == "fail"
    assert "2.1.197" in found.text
    assert "2.1.202" in found.text


def test_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    found = disk_check(tmp_path / "a" / "b")

    assert found.text.endswith(f"GiB free at {tmp_path}")


@pytest.mark.parametrize(
    ("name", "state", "says"),
    [
        (AS_ROOT.get("CW_AGENT_USER", ""), "warn", "agents run as"),
        ("", "fail", "root starts no agents"),
        ("nobody-of-that-name", "fail", "no user nobody-of-that-name"),
        ("root", "fail", "root is root"),
    ],
)
def test_host_of_root_needs_somebody_else_for_its_agents(
    tmp_path: Path, name: str, state: str, says: str
) -> None:
    found = list(user_checks(cli(tmp_path, agent_user=name).settings))

    if os.geteuid():  # an ordinary user's agents run as itself, whatever is set
        assert found == []
        return
    assert [one.state for one in found] == [state]
    assert says in found[0].text
    assert found[0].fix
