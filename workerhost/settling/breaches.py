"""What a run did that it must not: secrets in its commits, pushes to what is not its own."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cw.errors import CwError
from workerhost.clones import remote, workspace
from workerhost.clones.git import Git
from workerhost.clones.workspace import GitState, Workspace
from workerhost.homes.files import read_json
from workerhost.redaction.redact import Redactor
from workerhost.settling.verdict import Breach

if TYPE_CHECKING:
    from cw.github.client import GitHub

_AGENTS = re.compile(r"refs/heads/(?:issue-\d+|task-[0-9a-z]+)")  # other workers push them
_GONE = "0" * 40
_MOST = 10  # of which GitHub is asked who it was
_PART = 1 << 22  # characters that are searched at once
_OVERLAP = 1 << 16  # longer than a secret is, however it is written
_PLAIN = ("--text", "--no-ext-diff", "--no-textconv", "--no-color", "--unified=0")


@dataclass(frozen=True, slots=True)
class Conduct:
    """`elsewhere`: what else changed at the remote while the run went on, by whomever."""

    breaches: tuple[Breach, ...] = ()
    elsewhere: tuple[str, ...] = ()


def exposure(git: Git, place: Workspace, state: GitState, redact: Redactor) -> Breach | None:
    """The first commit of the run with a secret that is known here. What cannot be searched is no
    better.

    Looked for from a repository of our own: the clone's attributes, replaced objects and
    configuration could make git show something else than what would be pushed.
    """
    if state.head in {"", place.base_sha}:
        return None
    git = replace(git, env={**git.env, "GIT_CONFIG_GLOBAL": os.devnull})
    try:
        with remote.borrowing(git, place.clone, f"search-{place.branch}") as bare:
            bad = _first_with_secret(git, bare, f"{place.base_sha}..{state.head}", redact)
    except (CwError, OSError) as error:
        return Breach("not_searched", f"its commits cannot be searched for secrets: {error}")
    return _exposed(git, place, state, bad) if bad else None


def _first_with_secret(git: Git, bare: Path, range_: str, redact: Redactor) -> str:
    """Raises WorkspaceError or OSError when one cannot be read to its end."""
    changes = bare / "changes"  # a file, as they can be larger than the memory
    for one in git.need("rev-list", "--reverse", range_, at=bare).split():
        if redact.knows(git.need("cat-file", "commit", one, at=bare)):  # names and mails as well
            return one
        git.need("show", *_PLAIN, "-m", "--format=", f"--output={changes}", one, at=bare)
        if _knows_some_of(changes, redact):
            return one
    return ""


def _knows_some_of(path: Path, redact: Redactor) -> bool:
    text = ""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        while part := file.read(_PART):
            text = text[-_OVERLAP:] + part
            if redact.knows(text):
                return True
    return False


def _exposed(git: Git, place: Workspace, state: GitState, commit: str) -> Breach:
    remote = state.remote_head
    out = (
        bool(remote)
        and git.run("merge-base", "--is-ancestor", commit, str(remote), at=place.clone).ok
    )
    what = f"commit {commit[:12]} contains a token or password of this worker"
    if out:
        return Breach("secret_pushed", f"{what} and is pushed: revoke the secret now")
    return Breach("secret_committed", f"{what}; it was not pushed for the agent")


def conduct(
    git: Git, place: Workspace, repo: str, github: GitHub | None, after: Mapping[str, str] | None
) -> Conduct:
    """Compare the remote with what it was. Nothing when either is unknown."""
    before = _remembered(git)
    if before is None or after is None or not workspace.is_clone(place.clone):
        return Conduct()
    own = f"refs/heads/{place.branch}"
    breaches: list[Breach] = []
    elsewhere: list[str] = []
    for ref, said in sorted(_changes(before, after).items()):
        if ref == own and not _overwritten(git, place, before.get(ref), after.get(ref)):
            continue
        if _pushed_from(git, place, ref, after.get(ref, "")):
            breaches.append(Breach("forbidden_push", f"the agent pushed: {ref} was {said}"))
        elif not _AGENTS.fullmatch(ref) or ref == own:
            who = _who(github, repo, ref, after.get(ref, _GONE)) if len(elsewhere) < _MOST else ""
            elsewhere.append(f"{ref} {said}{who}")
    return Conduct(tuple(breaches), tuple(elsewhere))


def _who(github: GitHub | None, repo: str, ref: str, sha: str) -> str:
    """The account, as far as GitHub tells: of tags it does not. Several people may share one."""
    if github is None or not ref.startswith("refs/heads/"):
        return ""
    try:
        left, login = github.last_push(repo, ref)
    except CwError:
        return ""
    return f" by {login}" if login and left == sha else ""


def _remembered(git: Git) -> dict[str, str] | None:
    return read_json(git.home.refs)


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Ref to created, deleted or moved."""
    found = {ref: "created" for ref in after if ref not in before}
    found |= {ref: "deleted" for ref in before if ref not in after}
    return found | {ref: "moved" for ref in before if ref in after and before[ref] != after[ref]}


def _overwritten(git: Git, place: Workspace, old: str | None, new: str | None) -> bool:
    """Whether commits that the run found on its own branch are gone from it."""
    if not old:
        return False
    return not new or not git.run("merge-base", "--is-ancestor", old, new, at=place.clone).ok


def _pushed_from(git: Git, place: Workspace, ref: str, sha: str) -> bool:
    """Whether the clone's own record says so. No proves nothing: it is the agent's to write."""
    if not ref.startswith("refs/heads/") or not sha:
        return False
    tracking = f"refs/remotes/origin/{ref.removeprefix('refs/heads/')}"
    if not os.path.lexists(place.clone / ".git" / "logs" / tracking):
        return False  # most: what the other workers push
    told = git.run("log", "--walk-reflogs", "--format=%H %gs", tracking, "--", at=place.clone).out
    return f"{sha} update by push" in told.splitlines()
