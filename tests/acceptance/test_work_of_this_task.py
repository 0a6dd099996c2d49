"""What counts is what this task added: the world around it proves nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.acceptance.conftest import by_turns
from tests.acceptance.fleet import Fleet
from tests.acceptance.scenes import (
    REPO,
    Scene,
    delivered,
    feature,
    merge_theirs_now,
    merged,
    merged_and_deleted,
    pushed_before,
    rejected,
    release,
    theirs,
    theirs_into_release,
    theirs_with_pull,
    untouched,
)

COMMIT = "mktemp -p . {0}-XXXXXX && git add -A && git commit -qm {0}"
PUSH = "git push -q origin HEAD"
WAIT = "touch ~/tmp/begun; until test -e ~/tmp/go; do sleep 0.1; done"
RELEASE = "gh pr create --title T --body B --base release --head issue-$N"
N = "N=$(git branch --show-current | tr -dc 0-9)"
GOOD = ("succeeded", "done")
NOTHING = ("failed", "no_changes")


@dataclass(frozen=True)
class Sample:
    """`agent`: rehearsed lines. `words`: in the outcome's message; `said`: at dispatch; in braces
    what the scene has seen. `pulls`: into the default branch and open at the end, by what follows
    the first branch's name.
    """

    before: Callable[[Scene], None] | None
    agent: str
    end: tuple[str, str]
    typed: tuple[str, ...] = ()
    during: Callable[[Scene], None] | None = None
    commits: int = 0
    words: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    on: str = ""
    pulls: Mapping[str, int] = field(default_factory=dict)
    after: Callable[[Scene], None] | None = None


def do(*commands: str) -> str:
    return "".join(f"rehearse: do {one}\n" for one in commands)


LAZY = "rehearse: no-change"
SAMPLES = {
    # as people report them
    "colleague's commit on the branch, agent does nothing": Sample(
        before=theirs,
        agent=LAZY,
        end=NOTHING,
        words=("{branch}", "somebody else's", "{theirs}"),
        said=("somebody else's", "--continue"),
        on="-2",
        after=untouched,
    ),
    "merged and reopened, agent does nothing": Sample(
        before=merged,
        agent=LAZY,
        end=NOTHING,
        words=("used up", "merged"),
        said=("used up",),
        on="-2",
    ),
    "rejected, agent does nothing": Sample(
        before=rejected,
        agent=LAZY,
        end=NOTHING,
        words=("used up", "closed without a merge"),
        said=("used up",),
        on="-2",
    ),
    "agent pushes over a commit of somebody's": Sample(
        before=None,
        agent=do(
            f"{COMMIT.format('ours')} && {PUSH}",
            WAIT,
            "git commit -q --amend -m other && git push -q --force origin HEAD",
        )
        + LAZY,
        during=theirs,
        end=("failed", "overwritten"),
        commits=1,
        words=("{theirs}",),
        pulls={"": 1},
    ),
    "pull request of the agent's into another branch": Sample(
        before=release,
        agent=do(f"{N}; {COMMIT.format('ours')} && {PUSH} && {RELEASE}") + LAZY,
        end=GOOD,
        commits=1,
        pulls={"": 1},
    ),
    "commits on another branch, with a pull request from there": Sample(
        before=None,
        agent=do(
            f"git checkout -q -b fix/rounding && {COMMIT.format('ours')} && {PUSH}"
            " && gh pr create --title T --body B --base main --head fix/rounding"
        )
        + LAZY,
        end=("failed", "forbidden_push"),
        words=("fix/rounding", "/pull/"),
    ),
    # more of the kind
    "colleague's commit on the branch, agent commits": Sample(
        before=theirs,
        agent="rehearse: commit-only",
        end=GOOD,
        commits=1,
        words=("somebody else's",),
        on="-2",
        pulls={"-2": 1},
        after=untouched,
    ),
    "the same, and a person says to go on": Sample(
        before=theirs,
        agent="rehearse: commit-only",
        typed=("--continue",),
        end=GOOD,
        commits=1,
        words=("--continue",),
        said=("goes on with",),
        pulls={"": 1},
    ),
    "the same, and the agent does nothing": Sample(
        before=theirs, agent=LAZY, typed=("--continue",), end=NOTHING, after=untouched
    ),
    "colleague's pull request from the branch": Sample(
        before=theirs_with_pull,
        agent="rehearse: commit-only",
        end=GOOD,
        commits=1,
        words=("{pull}", "acme"),
        said=("{pull}", "acme"),
        on="-2",
        pulls={"": 1, "-2": 1},
        after=untouched,
    ),
    "colleague's pull request, and the agent does nothing": Sample(
        before=theirs_with_pull, agent=LAZY, end=NOTHING, on="-2", pulls={"": 1}, after=untouched
    ),
    "colleague's pull request into another branch, gone on with": Sample(
        before=theirs_into_release,
        agent="rehearse: commit-only",
        typed=("--continue",),
        end=("failed", "wrong_base"),
        commits=1,
        words=("gh pr edit", "--base main", "{pull}"),
    ),
    "merged and deleted and reopened, agent commits": Sample(
        before=merged_and_deleted,
        agent="rehearse: commit-only",
        end=GOOD,
        commits=1,
        on="-2",
        pulls={"-2": 1},
    ),
    "rejected, and a person says to go on": Sample(
        before=rejected,
        agent="rehearse: commit-only",
        typed=("--continue",),
        end=GOOD,
        commits=1,
        pulls={"": 1},
    ),
    "our own open pull request, agent adds to it": Sample(
        before=delivered, agent="rehearse: commit-only", end=GOOD, commits=1, pulls={"": 1}
    ),
    "our own open pull request, agent does nothing": Sample(
        before=delivered, agent=LAZY, end=NOTHING, pulls={"": 1}
    ),
    "our own pushed branch of before, agent adds to it": Sample(
        before=pushed_before, agent="rehearse: commit-only", end=GOOD, commits=1, pulls={"": 1}
    ),
    "agent merges what somebody else had pushed": Sample(
        before=feature,
        agent=do(f"{N}; git merge -q --ff-only origin/feature-$N") + LAZY,
        end=NOTHING,
    ),
    "agent fetches what somebody pushes meanwhile": Sample(
        before=None,
        agent=do(WAIT, f"{N}; git pull -q --ff-only origin issue-$N") + LAZY,
        during=theirs,
        end=NOTHING,
        after=untouched,
    ),
    "agent adds to what somebody pushes meanwhile": Sample(
        before=None,
        agent=do(WAIT, f"{N}; git pull -q --ff-only origin issue-$N", COMMIT.format("ours")) + LAZY,
        during=theirs,
        end=GOOD,
        commits=1,
        pulls={"": 1},
    ),
    "commits on another branch, not pushed": Sample(
        before=None,
        agent=do(f"git checkout -q -b fix/edges && {COMMIT.format('ours')}") + LAZY,
        end=("failed", "other_branch"),
        words=("fix/edges",),
    ),
    "commits on no branch": Sample(
        before=None,
        agent=do(f"git checkout -q --detach && {COMMIT.format('ours')}") + LAZY,
        end=("failed", "other_branch"),
        words=("refs/cw/wip/",),
    ),
    "commits on the default branch of the clone": Sample(
        before=None,
        agent=do(f"git checkout -q main && {COMMIT.format('ours')}") + LAZY,
        end=("failed", "other_branch"),
        words=("main",),
    ),
    "agent replaces its own commits": Sample(
        before=None,
        agent=do(
            f"{COMMIT.format('ours')} && {PUSH}",
            "git commit -q --amend -m other && git push -q --force origin HEAD",
        )
        + LAZY,
        end=GOOD,
        commits=1,
        pulls={"": 1},
    ),
    "agent fetched a commit of somebody's and dropped it": Sample(
        before=None,
        agent=do(
            f"{COMMIT.format('ours')} && {PUSH}",
            WAIT,
            "git fetch -q && git commit -q --amend -m other && git push -q --force origin HEAD",
        )
        + LAZY,
        during=theirs,
        end=("failed", "overwritten"),
        commits=1,
        words=("{theirs}",),
        pulls={"": 1},
    ),
    "agent deletes a branch that somebody pushed to, and pushes it anew": Sample(
        before=None,
        agent=do(
            f"{N}; {COMMIT.format('ours')} && {PUSH}",
            WAIT,
            f"{N}; git push -q origin :issue-$N; {PUSH}",
        )
        + LAZY,
        during=theirs,
        end=("failed", "overwritten"),
        commits=1,
        words=("{theirs}",),
        pulls={"": 1},
    ),
    "merged while the agent is there": Sample(
        before=None,
        agent=do(
            f"{N}; {COMMIT.format('ours')} && {PUSH} && gh pr create --title T --body B"
            " --base main --head issue-$N",
            WAIT,
        )
        + LAZY,
        during=merge_theirs_now,
        end=GOOD,
        commits=1,
    ),
}


@pytest.mark.parametrize(
    ("any_fleet", "name"), by_turns(SAMPLES), indirect=["any_fleet"], scope="module"
)
def test_only_work_of_this_task_counts(any_fleet: Fleet, name: str) -> None:
    sample = SAMPLES[name]
    number = any_fleet.github.add_issue(REPO, "Change it")
    scene = Scene(any_fleet, number)
    if sample.before:
        sample.before(scene)

    end = scene.run(sample.agent, *sample.typed, during=sample.during)

    assert (end["kind"], end["reason"]) == sample.end, (end, any_fleet.logs())
    assert end["commits"] == sample.commits, end
    seen = scene.seen | {one: sha[:12] for one, sha in scene.seen.items() if len(sha) == 40}
    for word in sample.words:
        assert word.format(**seen) in end["message"], (word, end["message"])
    for word in sample.said:
        assert word.format(**seen) in scene.seen["said"], (word, scene.seen["said"])
    assert scene.seen["branch"] == scene.branch + sample.on
    opened = {
        more: found
        for more in ("", "-2", "-3")
        if (found := len([one for one in scene.pulls(more) if _is_right(one)]))
    }
    assert opened == sample.pulls
    if sample.after:
        sample.after(scene)


def _is_right(pull: Any) -> bool:
    return bool(pull.state == "open" and pull.base == "main")


def test_agent_is_told_of_the_branch_that_is_not_its_own(fleet: Fleet) -> None:
    scene = Scene(fleet, fleet.github.add_issue(REPO, "Change it"))
    theirs_with_pull(scene)

    end = scene.run("rehearse: say cat ~/run/system.md\nrehearse: no-change")

    assert f"You stand on branch {scene.branch}-2, made from main" in end["report"]
    assert f"{scene.branch} is somebody else's" in end["report"]


def test_commits_of_an_earlier_attempt_count_in_the_next(fleet: Fleet) -> None:
    """Where everything stood is remembered from the first one on."""
    scene = Scene(fleet, fleet.github.add_issue(REPO, "Change it"))
    until = int(time.time()) + 20
    agent = do(f"{COMMIT.format('ours')} && {PUSH}") + f"rehearse: usage-limit {until}\n" + LAZY

    end = scene.run(agent)

    assert (end["kind"], end["commits"]) == ("succeeded", 1), fleet.logs()
    assert fleet.archive("01")["run"]["attempt"] == 2
