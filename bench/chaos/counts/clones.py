"""What git has at the remotes, compared with the commits that agents wrote down."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from bench.chaos import agentlog
from bench.chaos.agentlog import Seen
from bench.chaos.counts.saying import said, what_is_recorded
from bench.chaos.faults import Faults
from bench.chaos.load import APP, Load, Taken
from bench.chaos.report import Found, found
from cw.homes.files import read_json
from cw.models import Outcome, Task
from cw.states import OutcomeKind, State

_SET_ASIDE = re.compile(r"/\S*/set-aside/[^\s;,\"]+")


def false_success(load: Load, _faults: Faults) -> Found:
    """Tasks that are recorded as done well, without what proves it: the last commit of its own
    agents on its branch at the remote and, on GitHub, in an open pull request; where nothing was
    wanted, an agent's own good end.
    """
    runs = agentlog.by(load.log.read(), "task")
    tasks = [(one, load.store.tasks.get(one.spec.id)) for one in load.taken]
    good = [(one, task) for one, task in tasks if task and _succeeded(task)]
    wrong = []
    for one, task in good:
        why = _unproven(load, one, task, runs.get(one.spec.id, []))
        wrong += [f"{why}: {one.spec.id} {said(task)}"] if why else []
    return found(wrong, len(good))


def left_behind(load: Load, _faults: Faults) -> Found:
    """Commits that no ref of the remote leads to, nor a ref or a clone that the outcome of one of
    its task's runs names.
    """
    there: dict[str, set[str]] = {}
    wrong, of = [], 0
    for one in load.taken:
        made = [
            (run, sha)
            for run in load.log.read()
            if run.task == one.spec.id
            for sha, _ in run.commits
        ]
        known = there.setdefault(one.repo, _all_commits(_at(load, one.repo))) if made else set()
        of += len(made)
        wrong += [
            f"{sha[:9]} of {run.home}: {what_is_recorded(load, one.spec.id)}"
            for run, sha in made
            if sha not in known and not _named(load, one, run, sha)
        ]
    return found(wrong, of)


def stale_refs(load: Load, _faults: Faults) -> Found:
    """Branches that are at the remote not as their last agent left them, or that nobody's task has.
    Of runs that were cut short nothing is expected.
    """
    runs, last = load.log.read(), dict[tuple[str, str], Seen]()
    repos = {one.spec.id: one.repo for one in load.taken}
    for run in sorted(runs, key=lambda run: run.start):
        for _, branch in run.commits if run.task in repos else ():
            last[repos[run.task], branch] = run
    there = {repo: branches(_at(load, repo)) for repo in set(repos.values())}
    wrong, of = [], 0
    for (repo, branch), run in last.items():
        if not run.completed:
            continue
        left, of = [sha for sha, on in run.commits if on == branch][-1], of + 1
        seen = there[repo].get(branch, "nothing")
        if left != seen:
            wrong.append(f"{branch} of {repo}: {seen[:9]}, its agent left {left[:9]}")
    known = {branch for _, branch in last} | {one.spec.branch for one in load.taken} | {"main"}
    wrong += [
        f"{one} of nobody at {repo}"
        for repo, refs in there.items()
        for one in refs
        if one not in known
    ]
    return found(wrong, of)


def branches(path: Path) -> dict[str, str]:
    """Name to sha. What is no repository has none."""
    told = _git(path, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
    return dict(line.rsplit(" ", 1) for line in told.splitlines())


def _succeeded(task: Task) -> bool:
    return (
        task.state is State.DONE
        and task.outcome is not None
        and task.outcome.kind is OutcomeKind.SUCCEEDED
    )


def _unproven(load: Load, one: Taken, task: Task, runs: list[Seen]) -> str:
    """Why this success is none; empty when it is one."""
    made = [sha for run in runs for sha, _ in run.commits]
    branch = task.outcome.branch if task.outcome else ""
    if not made:
        nothing_wanted = one.spec.issue is None and any(run.good for run in runs)
        return "" if nothing_wanted else "no commit of its agents"
    if not _leads_to(_at(load, one.repo), f"refs/heads/{branch}", made[-1]):
        return f"{branch} at the remote has not {made[-1][:9]}"
    pulls = [pull for pull in load.fleet.hub.pulls(APP) if pull.head == branch]
    if one.spec.github and not any(
        _leads_to(_at(load, APP), pull.head_sha, made[-1])
        for pull in pulls
        if pull.state == "open" or pull.merged
    ):
        return f"no pull request with {made[-1][:9]}"
    return ""


def _named(load: Load, one: Taken, run: Seen, sha: str) -> bool:
    """Whether what is recorded leads to it."""
    (home,) = (each for each in load.fleet.homes if each.id == run.home)
    task = load.store.tasks.get(one.spec.id)
    outcomes = [task.outcome] if task and task.outcome else []
    for path in home.completed.glob("*.json"):
        book = read_json(path) or {}
        if book.get("outcome") and book["task"]["id"] == one.spec.id:
            outcomes.append(Outcome.model_validate(book["outcome"]))
    clone = home.clones / one.spec.repo_folder
    for each in outcomes:
        refs = [ref for ref in (each.kept, each.wip, *each.branches) if ref]
        places = [Path(place) for place in _SET_ASIDE.findall(each.message)]
        if any(_leads_to(clone, ref, sha) for ref in refs):
            return True
        if any(sha in _all_commits(place) for place in places):
            return True
    return False


def _leads_to(path: Path, ref: str, sha: str) -> bool:
    return _ran(path, "merge-base", "--is-ancestor", sha, ref).returncode == 0


def _all_commits(path: Path) -> set[str]:
    return set(_git(path, "rev-list", "--all").split())


def _git(path: Path, *args: str) -> str:
    return _ran(path, *args).stdout


def _ran(path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    git_dir = path / ".git" if (path / ".git").exists() else path
    argv = ["git", f"--git-dir={git_dir}", *args]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def _at(load: Load, repo: str) -> Path:
    return load.fleet.hub.state.repo(APP).path if repo == APP else Path(repo)
