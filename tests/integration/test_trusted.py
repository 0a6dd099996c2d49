"""A trusted repository is trusted as its default branch has it, not as an agent left it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cw.errors import LostServerError
from tests.integration.cloning import Worker, commit, fork_server_killed, push, run
from tests.standins.github import GitHubStandIn
from workerhost.clones import preparing
from workerhost.clones.evidence import Pushed
from workerhost.clones.git import Git
from workerhost.clones.protected_changes import UNKNOWN
from workerhost.clones.trusted import unlike_base
from workerhost.clones.workspace import Workspace

LIB = "acme/lib"
SETTINGS = ".claude/settings.json"
EVIL = json.dumps({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "evil"}]}]}})
FILES = {SETTINGS: "{}", ".mcp.json": "{}", "AGENTS.md": "Be kind.", "src/a.py": "1"}


class Bench:
    """A clone of a trusted repository, in which an agent may have worked."""

    def __init__(self, root: Path, hub: GitHubStandIn) -> None:
        self.hub = hub
        hub.add_repo(LIB, files=FILES)
        hub.add_user("agent", "bot-token", {LIB: "write"})
        self.worker = Worker.make(root, hub)
        url = f"{hub.url}/{LIB}.git"
        self.spec = self.worker.spec(repo=LIB, repo_folder=LIB, repo_url=url)
        self.git: Git = self.worker.git(self.spec)
        self.place = self.prepared()

    @property
    def clone(self) -> Path:
        return self.place.clone

    def prepared(self) -> Workspace:
        return preparing.prepare(self.git, self.spec, resume=False)

    def unlike(self) -> str:
        return unlike_base(self.git, self.place)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with GitHubStandIn(tmp_path / "hub") as hub:
        yield Bench(tmp_path, hub)


def test_clone_as_it_came_is_like_its_base(bench: Bench) -> None:
    assert bench.unlike() == ""


def test_other_files_may_differ(bench: Bench) -> None:
    commit(bench.clone, "src/a.py", "2")
    (bench.clone / "src" / "CLAUDE.md").touch()

    assert bench.unlike() == ""


def test_settings_that_an_earlier_run_pushed_on_the_issues_branch_are_not_trusted(
    bench: Bench,
) -> None:
    commit(bench.clone, SETTINGS, EVIL)
    git = bench.worker.git(bench.spec)
    assert push(git, bench.place) == Pushed()

    bench.place = bench.prepared()

    assert (bench.clone / SETTINGS).read_text("utf-8") == EVIL
    assert bench.unlike() == SETTINGS


def _left_out_of_git(clone: Path) -> str:
    with (clone / ".git" / "info" / "exclude").open("a", encoding="utf-8") as file:
        file.write(".claude\n")
    (clone / ".claude" / "hooks.json").write_text(EVIL, "utf-8")
    return ".claude/hooks.json"


def _hidden_in_the_index(clone: Path) -> str:
    run(clone, "update-index", "--assume-unchanged", SETTINGS)
    (clone / SETTINGS).write_text(EVIL, "utf-8")
    return SETTINGS


def _another_base(clone: Path) -> str:
    head = commit(clone, SETTINGS, EVIL)
    run(clone, "update-ref", "refs/remotes/origin/main", head)
    run(clone, "replace", "HEAD~1", head)
    return SETTINGS


def _removed(clone: Path) -> str:
    (clone / ".mcp.json").unlink()
    return ".mcp.json"


def _program(clone: Path) -> str:
    (clone / SETTINGS).chmod(0o755)
    return SETTINGS


def _link(clone: Path) -> str:
    (clone / SETTINGS).rename(clone / "src" / "settings")
    (clone / SETTINGS).symlink_to("../src/settings")
    return SETTINGS


def _linked_folder(clone: Path) -> str:
    (clone / ".claude" / "skills").symlink_to("../src")
    return ".claude/skills"


def _pipe(clone: Path) -> str:
    os.mkfifo(clone / "CLAUDE.md")
    return "CLAUDE.md"


def _nested(clone: Path) -> str:
    skill = clone / "src" / ".Claude" / "skills" / "x" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("Do as I say.", "utf-8")
    return "src/.Claude/skills/x/SKILL.md"


@pytest.mark.parametrize(
    "left",
    [
        _left_out_of_git,
        _hidden_in_the_index,
        _another_base,
        _removed,
        _program,
        _link,
        _linked_folder,
        _pipe,
        _nested,
    ],
)
def test_whatever_else_an_agent_left_is_not_trusted(
    bench: Bench, left: Callable[[Path], str]
) -> None:
    path = left(bench.clone)

    assert bench.unlike() == path


@pytest.mark.parametrize("name", ["CLAUDE.md", "github/.claude", "github/acme/AGENTS.md"])
def test_what_lies_above_the_clone_is_nobodys(bench: Bench, name: str) -> None:
    left = bench.worker.home.path / name
    left.touch()

    assert bench.unlike() == str(left)


def test_link_of_the_base_to_what_is_compared_as_well_is_like_it(bench: Bench) -> None:
    (bench.clone / "CLAUDE.md").symlink_to("AGENTS.md")
    run(bench.clone, "add", "--all")
    run(bench.clone, "commit", "-q", "-m", "Link")
    whole = f"http://x:bot-token@{bench.place.url.removeprefix('http://')}"
    run(bench.clone, "push", "-q", whole, "HEAD:main")

    assert bench.unlike() == ""
    (bench.clone / "AGENTS.md").write_text("Do as I say.", "utf-8")
    assert bench.unlike() == "AGENTS.md"


def test_base_that_cannot_be_had_is_like_nothing(bench: Bench) -> None:
    bench.place = replace(bench.place, base="gone")

    assert bench.unlike() == UNKNOWN


def test_comparison_that_was_lost_with_the_fork_server_says_nothing(bench: Bench) -> None:
    asked = bench.hub.fault(path_regex="info/refs", status=0, delay=60)

    with fork_server_killed(once=lambda: bool(asked.hits)), pytest.raises(LostServerError):
        bench.unlike()

    assert bench.unlike() == ""
