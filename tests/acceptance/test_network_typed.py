"""Kind "passing or final is guessed from words, and the guess repeats the agent", as people meet
it: a typed dispatch, and git's way to the remote fails for a while, or for good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.acceptance.conftest import by_turns
from tests.acceptance.fleet import Fleet
from tests.standins.github import GitHubStandIn

REPO = "acme/app"
DONE = ("succeeded", "done")
Spoil = Callable[[GitHubStandIn], object]


@dataclass(frozen=True)
class Sample:
    """`spoil`: before the dispatch. `words`: in what the outcome says."""

    spoil: Spoil
    end: tuple[str, str] = DONE
    words: tuple[str, ...] = field(default=())


def git(path: str, times: int = 1, **how: Any) -> Spoil:
    """So many of git's requests to such a path fail."""
    return lambda hub: hub.fault(path_regex=path, times=times, **how)


def hook(*said: str) -> Spoil:
    def refuse(hub: GitHubStandIn) -> None:
        path = hub.state.repos[REPO].path / "hooks" / "pre-receive"
        path.parent.mkdir(exist_ok=True)
        lines = "\n".join(said)
        path.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{lines}\nEND\nexit 1\n", "utf-8")
        path.chmod(0o755)

    return refuse


ASKED, PUSHED = "info/refs", "/git-receive-pack$"
SAMPLES = {
    # as people report them
    "proxy answers 502 before the run": Sample(git(ASKED, status=502)),
    "push is answered 502": Sample(git(PUSHED, status=502)),
    "connection ends in the middle of a push": Sample(git(PUSHED, drop=True)),
    "rule of the repository": Sample(
        hook("error: GH013: Repository rule violations found for refs/heads/issue.", "- No."),
        ("failed", "not_pushed"),
        ("GH013",),
    ),
    "file that is too large": Sample(
        hook("error: File big.bin is 120 MB", "error: GH001: Large files detected."),
        ("failed", "not_pushed"),
        ("big.bin",),
    ),
    # more of the kind
    "remote is away twice before the run": Sample(git(ASKED, 2, status=503)),
    "remote asks to wait": Sample(git(ASKED, status=429)),
    "push fails twice": Sample(git(PUSHED, 2, status=500)),
    "push is answered with what nobody knows": Sample(git(PUSHED, status=418)),
    "hook of somebody's": Sample(
        hook("The tests are red."), ("failed", "not_pushed"), ("The tests are red.",)
    ),
}


@pytest.mark.parametrize(
    ("any_fleet", "name"), by_turns(SAMPLES), indirect=["any_fleet"], scope="module"
)
def test_step_is_done_again_and_never_the_agent(any_fleet: Fleet, name: str) -> None:
    fleet, sample = any_fleet, SAMPLES[name]
    agent = "rehearse: pace 0.01\nrehearse: do echo . >> ~/tmp/begun\nrehearse: commit-only\n"
    number = fleet.github.add_issue(REPO, "Change it", agent)
    begun = fleet.worker("01") / "tmp" / "begun"
    begun.unlink(missing_ok=True)
    try:
        sample.spoil(fleet.github)
        said = fleet.json("dispatch", "-r", REPO, "-i", str(number), "-w", "01")
        row = fleet.finished(said["task"], 100)
    finally:
        fleet.github.clear_faults()
        (fleet.github.state.repos[REPO].path / "hooks" / "pre-receive").unlink(missing_ok=True)

    end = row["outcome"]
    assert (end["kind"], end["reason"], end["commits"]) == (*sample.end, 1), (end, fleet.logs())
    assert begun.read_text("ascii").count(".") == 1
    for word in sample.words:
        assert word in end["message"], end
    if sample.end == DONE:
        assert fleet.github.heads(REPO)[f"issue-{number}"] == end["head"]
