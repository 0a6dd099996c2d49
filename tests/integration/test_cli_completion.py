"""What a shell offers after TAB, installed, against a real server."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cw.breakers import RepositoryHold
from cw.pulls.states import PullMove
from cw.store.store import Store
from tests.integration.viewing import Cw, talking, two_workers
from tests.making import NOW
from tests.standins.github import GitHubStandIn
from tests.unit.pulling import make_record


@pytest.fixture(autouse=True)
def broker(cw_environ: dict[str, str], redis_url: str) -> None:
    cw_environ["CW_BROKER_URL"] = redis_url


@pytest.fixture
def fleet(store: Store) -> Store:
    return two_workers(store)


@pytest.fixture
def task(cw: Cw, fleet: Store, git_repo: Path) -> str:
    return talking(cw, fleet, git_repo)


def completed(cw: Cw, words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """What a shell is offered for the last of these words."""
    typed = words.split(" ")
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(typed) - 1)}
    return cw(_CW_COMPLETE="bash_complete", **asked, **more)


def offers(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line.split(",", 1)[1] for line in done.stdout.splitlines()]


def test_shell_is_offered_commands_workers_tasks_and_repositories(
    cw: Cw, task: str, git_repo: Path
) -> None:
    assert offers(completed(cw, "cw insp")) == ["inspect"]
    assert offers(completed(cw, "cw inspect 0")) == ["01", "02", task]
    assert offers(completed(cw, f"cw show {task[:20].lower()}")) == [task]
    assert offers(completed(cw, "cw history --repo /")) == [str(git_repo)]
    assert offers(completed(cw, "cw show app")) == ["app#22"]
    assert offers(completed(cw, "cw dispatch -m op")) == ["opus", "opus[1m]"]
    assert offers(completed(cw, "cw pause --host th")) == ["there"]
    assert offers(completed(cw, "cw host forget ")) == ["there"]
    assert "--since" in offers(completed(cw, "cw history --"))


def test_repository_that_is_held_is_offered_beside_workers(cw: Cw, fleet: Store) -> None:
    fleet.breakers.hold(
        RepositoryHold(place="@7", name="acme/app", reason="lost", why="it fails", since=NOW)
    )

    assert offers(completed(cw, "cw resume ")) == ["01", "02", "acme/app"]
    assert offers(completed(cw, "cw resume ac")) == ["acme/app"]


@pytest.mark.parametrize("typed", ["prs resume", "merge", "merge acme/app#7"])
def test_open_pull_requests_are_offered(cw: Cw, store: Store, typed: str) -> None:
    for number in (12, 13):
        store.pulls.begin(make_record(number=number))
    store.pulls.begin(make_record(number=14))
    ended = store.pulls.get(("@7", 14))
    assert ended
    store.pulls.move(ended, PullMove.CLOSE, None)

    assert offers(completed(cw, f"cw {typed} acme/app#1")) == ["acme/app#12", "acme/app#13"]
    assert offers(completed(cw, f"cw {typed} acme/app#13")) == ["acme/app#13"]


def test_fish_is_told_titles(cw: Cw, task: str) -> None:
    words = {"COMP_WORDS": "cw show ", "COMP_CWORD": task[:12]}

    said = cw(_CW_COMPLETE="fish_complete", **words).stdout

    assert f"plain,{task}\tapp#22 running: Fix it" in said


def test_issues_of_the_repository_are_offered(cw: Cw, tmp_path: Path) -> None:
    with GitHubStandIn(tmp_path / "hub") as hub:
        hub.add_repo("acme/app", files={"README.md": "# App\n"})
        hub.add_user("bot", "ghp_bot", {"acme/app": "write"})
        numbers = [hub.add_issue("acme/app", f"Fix {one}", "x") for one in ("this", "that")]
        more = {"CW_GITHUB_API_URL": hub.api_url, "GH_TOKEN": "ghp_bot"}

        found = offers(completed(cw, "cw dispatch -r acme/app -i ", **more))
        nothing = completed(cw, "cw dispatch -i ", **more)

    assert sorted(found) == sorted(map(str, numbers))
    assert (nothing.stdout.strip(), nothing.stderr) == ("", "")


def test_shell_is_offered_nothing_and_told_nothing_while_the_broker_is_away(cw: Cw) -> None:
    done = completed(cw, "cw inspect 0", CW_BROKER_URL="redis://127.0.0.1:1/0")

    assert (done.stdout.strip(), done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_names_our_variable(cw: Cw, shell: str) -> None:
    done = cw("completion", shell)

    assert done.returncode == 0
    assert f"_CW_COMPLETE={shell}_complete" in done.stdout


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of a broker that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_nobody_waits_for_a_broker_that_does_not_answer(cw: Cw, mute: str) -> None:
    begin = time.monotonic()
    alone, asked = cw(CW_BROKER_URL=mute), completed(cw, "cw inspect 0", CW_BROKER_URL=mute)

    assert time.monotonic() - begin < 2 * 4  # two starts of Python, and half a second each
    assert alone.stdout.startswith("Usage: cw")
    assert (alone.stderr, asked.stdout.strip(), asked.stderr) == ("", "", "")
