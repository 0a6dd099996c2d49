"""Who has which token: agents that have none, and agents whose App's token is renewed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import REHEARSAL, TOKEN, Fleet
from tests.needs import need, require
from tests.standins.github.app_key import app_key
from tests.waiting import wait_until
from tests.walls import WALLS

REPO = "acme/app"
URL = f"http://github.localhost/{REPO}.git"
STOLEN = r"$(grep -ahoE 'ghp_[A-Za-z0-9]+' ~/.zshenv ~/.netrc ~/.config/gh/hosts.yml | head -n 1)"
FORBIDDEN = [
    "git push origin HEAD:main",
    "git push --force origin HEAD:main",
    "git push origin :main",
    "git push origin HEAD:refs/heads/issue-4711",
    "git push --force origin HEAD:refs/heads/theirs",
    "git push origin :theirs",
    "git push origin HEAD:refs/tags/v1",
    f"git push http://x-access-token:{STOLEN}@github.localhost/{REPO}.git HEAD:main",
    f"GH_TOKEN={STOLEN} git -c credential.helper='!gh auth git-credential' push {URL} HEAD:main",
    f"git -c core.sshCommand='ssh -i ~/.ssh/id' push git@github.localhost:{REPO} HEAD:main",
    f"gh api -X DELETE repos/{REPO}/git/refs/heads/theirs",
]


@pytest.fixture(scope="module")
def without() -> Iterator[Fleet]:
    require(WALLS, "a bwrap that works")
    with running_fleet(REHEARSAL, {"CW_GITHUB_ACCESS": "host"}, private=True) as fleet:
        yield fleet


def dispatched(fleet: Fleet, *lines: str) -> str:
    body = "\n".join(f"rehearse: {one}" for one in ("pace 0", *lines))
    number = fleet.github.add_issue(REPO, "The build fails", body)
    row = fleet.json("dispatch", "-r", REPO, "-i", str(number), "-w", "01")
    return str(row["task"])


def failed_commands(log: str) -> set[str]:
    """Of claude's stream: what was run in a shell and ended with another code than 0."""
    lines = [json.loads(one) for one in log.splitlines()]
    blocks = [block for one in lines for block in (one.get("message") or {}).get("content", [])]
    commands = {one["id"]: one["input"]["command"] for one in blocks if one.get("name") == "Bash"}
    return {commands[one["tool_use_id"]] for one in blocks if one.get("is_error")}


def test_host_delivers_for_an_agent_that_has_no_token_and_can_push_nothing(without: Fleet) -> None:
    hub, home = without.github, without.worker("01")
    hub.add_commit(REPO, "theirs", {"theirs.txt": "x"})
    (home / ".netrc").write_text(f"machine github.localhost login x password {TOKEN}\n")
    (home / ".netrc").chmod(0o600)
    (home / ".ssh").mkdir(exist_ok=True)
    (home / ".ssh" / "id").write_text("a key")
    (home / ".ssh" / "id").chmod(0o600)
    (home / ".ssh").chmod(0o700)
    before, pulls = hub.heads(REPO), {one.head for one in hub.pulls(REPO)}

    seen = "cat ~/.zshenv ~/.netrc ~/.ssh/* > ~/tmp/seen 2>&1"
    task = dispatched(without, "env", f"do {seen}", *(f"do {one}" for one in FORBIDDEN), "pr")
    row = without.finished(task)

    (pull,) = [one for one in hub.pulls(REPO) if one.head not in pulls]
    wait_until(lambda: not (home / "run" / "task.json").exists(), what="the archive")
    logs = (home / "completed").glob("*.log")
    log = max(logs, key=lambda one: one.stat().st_mtime).read_text("utf-8")
    assert row["outcome"]["kind"] == "succeeded", (row, without.logs())
    assert hub.heads(REPO) == before | {pull.head: pull.head_sha}
    assert failed_commands(log) >= set(FORBIDDEN)
    environment = (home / "tmp" / "env.received").read_text("utf-8")
    assert TOKEN not in environment + log
    assert "GH_TOKEN" not in environment
    assert TOKEN in (home / ".zshenv").read_text("utf-8")  # was there to be found
    assert "a key" not in (home / "tmp" / "seen").read_text("utf-8")
    assert TOKEN not in (home / "tmp" / "seen").read_text("utf-8")


def test_clone_cannot_lead_the_hosts_token_elsewhere(without: Fleet) -> None:
    """The next task fetches in a clone whose configuration the last agent wrote."""
    home = without.worker("01")
    trap = f"env > {home}/tmp/trapped; false"
    settings = {
        "credential.http://github.localhost.helper": f"!{trap}",
        "core.sshCommand": trap,
        "url.ssh://trap/.insteadOf": "http://github.localhost/",
    }
    orders = [
        f'do git config {where} "{name}" "{value}"'
        for name, value in settings.items()
        for where in ("--local", "--file ~/.config/git/config", "--file ~/.git/config")
    ]
    first = dispatched(without, "do mkdir -p ~/.config/git ~/.git", *orders, "commit-only")
    assert without.finished(first)["outcome"]["kind"] == "succeeded"
    config = home / "github" / "acme" / "app" / ".git" / "config"
    assert "trapped" in config.read_text("utf-8")

    second = dispatched(without, "commit-only")

    assert without.finished(second)["outcome"]["kind"] == "succeeded"
    assert "trapped" not in config.read_text("utf-8")
    assert not (home / "tmp" / "trapped").exists()


def test_worker_whose_logins_others_may_use_takes_nothing_and_says_what_to_type(
    without: Fleet,
) -> None:
    zshenv = without.worker("02") / ".zshenv"
    zshenv.chmod(0o644)
    task = without.json("dispatch", "-r", REPO, "-p", "rehearse: no-change", "-w", "02")["task"]

    def paused() -> str:
        (row,) = [one for one in without.json("status")["workers"] if one["worker"] == "02"]
        return str(row["paused"] or "")

    note = wait_until(paused, 30, without.logs)
    assert "chmod -R go= " in note
    zshenv.chmod(0o600)
    without.ok("resume", "02")

    assert without.finished(task)["outcome"]["kind"] == "succeeded"


@contextmanager
def app_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Its tokens are renewed some seconds after they were made: a quarter of an hour is too short
    for the host.
    """
    private, public = app_key()
    key = tmp_path / "app.pem"
    key.write_text(private, "ascii")
    key.chmod(0o600)
    settings = {"CW_GITHUB_APP_ID": "7", "CW_GITHUB_APP_KEY_FILE": str(key), "GH_TOKEN": ""}
    with running_fleet(REHEARSAL, settings, private=True) as fleet:
        fleet.github.add_app(
            7,
            "cw",
            70,
            {REPO: "write"},
            public_key=public,
            token_life=timedelta(minutes=15, seconds=6),
        )
        yield fleet


def test_token_of_an_app_is_renewed_under_a_running_agent(tmp_path: Path) -> None:
    need("gh")
    require(WALLS, "bubblewrap and socat that work")
    with app_fleet(tmp_path) as fleet:
        home = fleet.worker("01")
        lent, first, go = (home / name for name in ("run/github/token", "tmp/first", "tmp/go"))
        wait = f"while [ ! -e {go} ]; do sleep 0.1; done"
        copy = f"cp {lent} {first}; ! echo x > {lent}"
        task = dispatched(fleet, "env", f"do {copy}", f"do {wait}", "pr")
        wait_until(lambda: first.exists() and first.read_text(), 40, fleet.logs)
        old = first.read_text("utf-8")
        wait_until(lambda: lent.read_text("utf-8") != old, 40, fleet.logs)
        fleet.github.revoke_token(old)
        go.touch()

        row = fleet.finished(task)

        (pull,) = fleet.github.pulls(REPO)
        assert row["outcome"]["kind"] == "succeeded", (row, fleet.logs())
        assert (pull.author, pull.title) == ("cw[bot]", f"Rehearse {pull.head}")  # by its own gh
        assert "ghs_" not in (home / "tmp" / "env.received").read_text("utf-8")
        assert old.startswith("ghs_")
        wait_until(lambda: not lent.exists(), what="the end of what was lent")
