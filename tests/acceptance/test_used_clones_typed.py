"""Kinds "a used clone is trusted to be usable" and "whose settings decide the host's git", as
people meet them: a typed dispatch, then another one, which has to end well in what the first left.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.conftest import by_turns
from tests.acceptance.fleet import Fleet

REPO = "acme/app"
FAST = "rehearse: pace 0.01\n"
DRAFT = "rehearse: do echo draft > draft.txt\n"


@dataclass(frozen=True)
class Sample:
    """`agent`: what the first one's Bash does. `person`: what stands in the worker's .gitconfig.
    `aside`: the clone cannot be healed.
    """

    agent: str = "true"
    person: str = ""
    aside: bool = False


USED = {
    # as people report them
    "read-only module cache": Sample("mkdir m; echo x >m/f; chmod -R a-w m"),
    "bare": Sample("git config core.bare true"),
    "broken configuration": Sample("echo '[broken' >>.git/config"),
    "sparse checkout": Sample("git sparse-checkout set nothing-of-it"),
    "failing hook": Sample(
        "printf '#!/bin/sh\\nexit 1\\n' >.git/hooks/pre-commit; chmod +x .git/hooks/pre-commit"
    ),
    "filter without a program": Sample(
        "git config filter.lfs.required true; git config filter.lfs.clean false"
    ),
    "stubs of a sandbox": Sample("touch .mcp.json .idea; chmod 444 .mcp.json .idea"),
    # more of the kind
    "locks": Sample("touch .git/index.lock .git/HEAD.lock .git/refs/heads/main.lock"),
    "no objects": Sample("rm -rf .git/objects", aside=True),
    "no HEAD": Sample("rm .git/HEAD", aside=True),
    "another repository within": Sample("git init -q within; echo x >within/y"),
    "branch below the next": Sample("git branch issue-{next}/part; git branch issue-{next}/more"),
    "stash and detached": Sample("echo x >README.md; git stash -q; git checkout -q --detach"),
    "pipe": Sample("rm README.md; mkfifo README.md pipe"),
    "remote elsewhere": Sample("git remote set-url origin /nonexistent"),
}
SETTINGS = {
    # as people report them
    "new files are not shown": Sample(person="[status]\n\tshowUntrackedFiles = no\n"),
    "no bare repositories": Sample(person="[safe]\n\tbareRepository = explicit\n"),
    "remote of another name": Sample(person="[clone]\n\tdefaultRemoteName = up\n"),
    "signed pushes": Sample(person="[push]\n\tgpgSign = true\n"),
    # more of the kind
    "signed commits of the host": Sample(person="[gpg]\n\tprogram = /nonexistent\n"),
    "no protocol": Sample(person="[protocol]\n\tallow = never\n"),
    "everything ignored": Sample(person="[core]\n\texcludesFile = /dev/stdin\n"),
    "other hash": Sample(person="[init]\n\tdefaultObjectFormat = sha256\n"),
    "mirror": Sample(person='[remote "origin"]\n\tmirror = true\n'),
    "hooks of the agent's": Sample("git config core.hooksPath /nonexistent; git config gc.auto 1"),
    "format of the future": Sample("git config core.repositoryFormatVersion 7"),
}
SAMPLES = USED | SETTINGS


def dispatched(fleet: Fleet, number: int) -> tuple[str, Any]:
    said = fleet.cw("dispatch", "-r", REPO, "-i", str(number), "-w", "01", "--json")
    assert said.returncode == 0, said.stderr
    task = json.loads(said.stdout)["task"]
    return task, fleet.finished(task)["outcome"]


@pytest.mark.parametrize(
    ("any_fleet", "name"), by_turns(SAMPLES), indirect=["any_fleet"], scope="module"
)
def test_next_dispatch_succeeds_in_what_the_last_one_left(any_fleet: Fleet, name: str) -> None:
    fleet, sample = any_fleet, SAMPLES[name]
    home = fleet.worker("01")
    second = fleet.github.add_issue(REPO, "Then this", f"{FAST}rehearse: commit-only\n")
    spoil = sample.agent.replace("{next}", str(second))
    agent = f"{FAST}{DRAFT}rehearse: do {spoil}\nrehearse: no-change\n"
    first = fleet.github.add_issue(REPO, "First this", agent)
    config = home / ".gitconfig"
    before = config.read_text("utf-8")
    aside = len(list(home.glob("set-aside/app-*")))
    try:
        config.write_text(f"{before}{sample.person}", "utf-8")
        task, ended = dispatched(fleet, first)
        _, after = dispatched(fleet, second)
    finally:
        config.write_text(before, "utf-8")

    assert ended["kind"] == "failed", ended
    assert (after["kind"], after["commits"]) == ("succeeded", 1), (after, fleet.logs())
    assert fleet.github.heads(REPO)[f"issue-{second}"] == after["head"]
    kept = sorted(home.glob("set-aside/app-*"))[aside:]
    if sample.aside:
        assert [one for one in kept if (one / "draft.txt").exists()]
    elif ended["reason"] == "uncommitted":
        assert ended["wip"].startswith("refs/cw/wip/")
        assert ended["wip"] in fleet.ok("show", task)
    clone = home / "github" / "acme" / "app"
    assert not (clone / "draft.txt").exists()
