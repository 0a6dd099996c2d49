"""What git has: at the remotes, and in the clones that agents have worked in."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench.chaos.faults import Faults
from bench.chaos.load import APP, Load, Taken
from bench.chaos.report import Found, found


def stale_refs(load: Load, _faults: Faults) -> Found:
    """Branches that are at the remote not as their last agent left them, or that nobody's task has.
    Only the last task of a branch tells: an earlier one's clone is behind by right.
    """
    last = {(one.spec.repo, one.spec.branch): one for one in load.taken}
    homes = {one.task: one.home for one in load.log.read() if one.completed}
    there = {repo: branches(_at(load, repo)) for repo in {repo for repo, _ in last}}
    here: dict[Path, dict[str, str]] = {}
    wrong, of = [], 0
    for (repo, branch), one in last.items():
        if not one.commits or one.spec.id not in homes:
            continue
        clone = _clone(load, homes[one.spec.id], one)
        left = here.setdefault(clone, branches(clone)).get(branch, "nothing")
        found_there, of = there[repo].get(branch, "nothing"), of + 1
        if left != found_there:
            wrong.append(f"{branch} of {repo}: {found_there[:9]}, its agent left {left[:9]}")
    known = {branch for _, branch in last} | {"main"}
    wrong += [f"{one} of nobody" for refs in there.values() for one in refs if one not in known]
    return found(wrong, of)


def branches(path: Path) -> dict[str, str]:
    """Name to sha. What is no repository has none."""
    command = ["git", "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads"]
    done = subprocess.run(
        [command[0], f"--git-dir={_git_dir(path)}", *command[1:]],
        capture_output=True,
        text=True,
        check=False,
    )
    return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())


def _git_dir(path: Path) -> Path:
    return path / ".git" if (path / ".git").exists() else path


def _at(load: Load, repo: str) -> Path:
    return load.fleet.hub.state.repo(APP).path if repo == APP else Path(repo)


def _clone(load: Load, home: str, one: Taken) -> Path:
    (found_home,) = (each for each in load.fleet.homes if each.id == home)
    return found_home.clones / one.spec.repo_folder
