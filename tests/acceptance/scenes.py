"""An issue and the world around it: branches and pull requests of others, and of earlier tasks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.acceptance.fleet import Fleet
from tests.waiting import wait_until

REPO = "acme/app"


@dataclass
class Scene:
    """One issue and what is around it. `seen`: shas and addresses, by what they are of."""

    fleet: Fleet
    number: int
    seen: dict[str, str] = field(default_factory=dict)

    @property
    def branch(self) -> str:
        return f"issue-{self.number}"

    def colleague(self, branch: str = "", name: str = "theirs") -> None:
        """Somebody else pushes a commit."""
        files = {f"{name}-{self.number}.txt": "x\n"}
        sha = self.fleet.github.add_commit(REPO, branch or self.branch, files, name)
        self.seen[name] = sha

    def pull(self, base: str | None = None) -> None:
        """Somebody else opens a pull request."""
        number = self.fleet.github.add_pull(REPO, self.branch, "Theirs", author="acme", base=base)
        self.seen["pull"] = f"/{REPO}/pull/{number}"

    def pulls(self, more: str = "") -> list[Any]:
        found = self.fleet.github.pulls(REPO)
        return [one for one in found if one.head == self.branch + more]

    def head(self, more: str = "") -> str:
        return self.fleet.github.heads(REPO).get(self.branch + more, "")

    def run(self, agent: str, *typed: str, during: Callable[[Scene], None] | None = None) -> Any:
        """The outcome of a dispatch as typed. `during`: when the agent waits."""
        fleet, tmp = self.fleet, self.fleet.worker("01") / "tmp"
        fleet.github.edit_issue(REPO, self.number, body=f"rehearse: pace 0.01\n{agent}\n")
        for name in ("go", "begun"):
            (tmp / name).unlink(missing_ok=True)
        issue = ("-r", REPO, "-i", str(self.number), "-w", "01")
        done = fleet.cw("dispatch", *issue, *typed, "--json")
        assert done.returncode == 0, done.stderr
        self.seen["said"], row = done.stderr, json.loads(done.stdout)
        self.seen["branch"] = row["branch"]
        if during:
            wait_until((tmp / "begun").exists, 60, fleet.logs)
            during(self)
            (tmp / "go").touch()
        return fleet.finished(row["task"])["outcome"]


def theirs(scene: Scene) -> None:
    scene.colleague()


def theirs_with_pull(scene: Scene) -> None:
    scene.colleague()
    scene.pull()


def release(scene: Scene) -> None:
    if "release" not in scene.fleet.github.heads(REPO):
        scene.colleague("release", "release")


def theirs_into_release(scene: Scene) -> None:
    release(scene)
    scene.colleague()
    scene.pull("release")


def delivered(scene: Scene) -> None:
    """An earlier task of ours, with its pull request."""
    end = scene.run("rehearse: pr")
    assert end["kind"] == "succeeded", scene.fleet.logs()
    scene.seen["earlier"] = end["head"]


def merged(scene: Scene) -> None:
    delivered(scene)
    (pull,) = scene.pulls()
    scene.fleet.github.merge_pull(REPO, pull.number)
    scene.fleet.github.reopen_issue(REPO, scene.number)


def merged_and_deleted(scene: Scene) -> None:
    merged(scene)
    scene.fleet.github.delete_branch(REPO, scene.branch)


def rejected(scene: Scene) -> None:
    delivered(scene)
    (pull,) = scene.pulls()
    scene.fleet.github.close_issue(REPO, pull.number)


def pushed_before(scene: Scene) -> None:
    """By an earlier task of ours, for which GitHub opened no pull request."""
    fault = {"message": "Validation Failed", "errors": [{"message": "not today"}]}
    github = scene.fleet.github
    github.fault(method="POST", path_regex="/pulls$", status=422, body=fault, times=None)
    end = scene.run("rehearse: push")
    github.clear_faults()
    assert end["reason"] == "no_pull_request", end
    scene.seen["earlier"] = end["head"]


def feature(scene: Scene) -> None:
    scene.colleague(f"feature-{scene.number}", "feature")


def merge_theirs_now(scene: Scene) -> None:
    """Ours, while its agent is still there."""
    (pull,) = scene.pulls()
    scene.fleet.github.merge_pull(REPO, pull.number)


def untouched(scene: Scene) -> None:
    assert scene.head() == scene.seen["theirs"]
