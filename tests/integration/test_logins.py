"""CW_GITHUB_ACCESS=host: an agent finds no login in its HOME, nor does what it has git start."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cw.credentials.agentenv import agent_environment
from cw.credentials.logins import hidden_logins, replaced
from cw.errors import CwError
from cw.homes.home import make_home, templates_dir
from cw.homes.layout import Home
from cw.homes.owner import give_tree
from cw.settings import Settings
from tests.needs import require
from tests.walls import WALLS, outer_wall, owned
from workerhost.clones.git import Git
from workerhost.clones.lens import lens
from workerhost.walls.sandbox import View, wrap

SECRET = "a-secret-of-the-operator"
GITCONFIG = f"""
[user]
	name = "Ada \\"L\\" Lovelace"
	email = ada@example.invalid
[init]
	defaultBranch = trunk
[url "https://x-access-token:{SECRET}@github.com/"]
	insteadOf = https://github.com/
[http "https://github.com/"]
	extraheader = Authorization: basic {SECRET}
[credential]
	helper = "!echo password={SECRET}"
[include]
	path = ~/{SECRET}
"""
FILES = (
    *(".npmrc", ".netrc", ".docker/config.json", ".aws/credentials", ".config/gh/hosts.yml"),
    *(".git-credentials", ".ssh/id", ".pypirc", ".cargo/credentials.toml", ".kube/config"),
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    require(WALLS, "a bwrap that works")
    return Settings(
        workers_root=tmp_path / "workers", state_dir=tmp_path / "state", github_access="host"
    )


@pytest.fixture
def home(settings: Settings, tmp_path: Path) -> Home:
    operator = tmp_path / "operator"
    operator.mkdir()
    (operator / ".gitconfig").write_text(GITCONFIG, "utf-8")
    environ = {"GH_TOKEN": SECRET, "HOME": str(operator)}
    home = make_home(settings.workers_root, "01", environ, templates_dir())
    for name in FILES:
        (home.path / name).parent.mkdir(parents=True, exist_ok=True)
        (home.path / name).write_text(f"login = {SECRET}\n", "utf-8")
    return owned(home)


def inside(home: Home, settings: Settings, script: str) -> str:
    argv = wrap(
        ["/bin/sh", "-c", script],
        outer_wall(),
        home,
        View(hidden=hidden_logins(home, settings), replaced=replaced(home, settings)),
    )
    env = agent_environment(home, settings, {"PATH": "/usr/bin:/bin"})
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False).stdout


def test_no_file_of_the_home_has_a_login(home: Home, settings: Settings) -> None:
    seen = "echo begun; cat ~/.gitconfig; grep -rl a-secret ~; git config --list"

    said = inside(home, settings, seen)

    assert said.startswith("begun\n")
    assert SECRET not in said
    assert str(home.path) not in said
    assert SECRET in (home.path / ".gitconfig").read_text("utf-8")  # was there to be found
    assert SECRET in inside(home, replace(settings, github_access="agent"), seen)


def test_git_knows_who_commits(home: Home, settings: Settings) -> None:
    get = "git config user.name; git config user.email; git config init.defaultBranch"

    assert inside(home, settings, get) == 'Ada "L" Lovelace\nada@example.invalid\ntrunk\n'

    (home.path / ".gitconfig").write_text("[user\n", "utf-8")
    assert "worker-01@" in inside(home, settings, get)


def test_folder_with_logins_cannot_be_moved_out_of_the_way(home: Home, settings: Settings) -> None:
    inside(home, settings, "mv ~/.config ~/moved; mv ~/.docker ~/moved2; rm -rf ~/.aws ~/.ssh")

    assert all((home.path / one).exists() for one in FILES)
    assert inside(home, settings, "grep -rl a-secret ~") == ""


def test_link_in_place_of_a_login_is_refused(home: Home, settings: Settings) -> None:
    (home.path / ".npmrc").rename(home.path / "real")
    (home.path / ".npmrc").symlink_to("real")

    with pytest.raises(CwError, match=r"\.npmrc is a link"):
        hidden_logins(home, settings)


def test_program_that_a_clone_names_is_not_started_by_the_hosts_git(
    home: Home, settings: Settings
) -> None:
    clone = home.clones / "app"
    env = agent_environment(home, settings, {"PATH": "/usr/bin:/bin"})
    subprocess.run(["git", "init", "-q", str(clone)], check=True)
    (clone / ".gitattributes").write_text("* filter=evil\n", "utf-8")
    evil = f"touch {home.tmp}/ran; cat"
    subprocess.run(["git", "-C", str(clone), "config", "filter.evil.clean", evil], check=True)
    give_tree(clone)

    with lens(Git(home, outer_wall(), env, settings), clone) as seen:
        added = seen.run("add", "--all")

    assert added.ok
    assert list(home.tmp.iterdir()) == []
