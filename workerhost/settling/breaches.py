"""What a run did that it must not: secrets in its commits, pushes to what is not its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cw.errors import CwError, TooLargeError
from cw.homes.files import read_json
from cw.names import is_task_branch
from cw.reasons import Reason
from cw.redaction.redact import Redactor
from workerhost.clones import workspace
from workerhost.clones.bounded import Feeding
from workerhost.clones.git import Bounds, Git
from workerhost.clones.quarantine import Quarantine
from workerhost.clones.reflogs import traces
from workerhost.clones.workspace import GitState, Workspace
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.overwritten import Tips
from workerhost.settling.overwritten import overwritten as _overwritten
from workerhost.settling.verdict import Breach

if TYPE_CHECKING:
    from cw.forges.client import Pushes

_GONE = "0" * 40
_MOST_LOST = 3  # that the message names
_MOST = 10  # of which GitHub is asked who it was
_PART = 1 << 20  # bytes that are searched at once
_OVERLAP = 1 << 16  # longer than a secret is, however it is written
_SEARCHED = 1 << 30  # bytes in all: about a minute and a half of searching
_PLAIN = ("--text", "--no-ext-diff", "--no-textconv", "--no-color", "--unified=0")
_SHOWN = re.compile(rb"\ncommit ([0-9a-f]{40,64})(?=\n|\Z)")
_SOME = "some"


@dataclass(frozen=True, slots=True)
class Conduct:
    """`elsewhere`: what else changed at the remote while the run went on, by whomever. `lost`:
    commits of somebody else's that the agent has overwritten.
    """

    breaches: tuple[Breach, ...] = ()
    elsewhere: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def exposure(box: Quarantine, state: GitState, redact: Redactor) -> Breach | None:
    """The first commit of the run with a secret that is known here. What cannot be searched is no
    better.
    """
    if state.head in {"", box.place.base_sha}:
        return None
    range_ = f"{box.place.base_sha}..{state.head}"
    try:
        bad = _of_commits(box, range_, redact) or _of_changes(box, range_, redact)
    except TooLargeError as error:
        return Breach(Reason.TOO_LARGE, f"its commits are too large to be judged: {error.message}")
    except (CwError, OSError) as error:
        return Breach(Reason.NOT_SEARCHED, f"its commits cannot be searched for secrets: {error}")
    return _exposed(box, state, bad) if bad else None


def _of_commits(box: Quarantine, range_: str, redact: Redactor) -> str:
    """Messages, names, mails and whatever else stands in the commits themselves."""
    shas = box.need("rev-list", "--reverse", range_, "--")
    if not _found(box, redact, "cat-file", "--batch", source=shas.encode()):
        return ""
    each = shas.split()
    return next((sha for sha in each if _found(box, redact, "cat-file", "commit", sha)), each[-1])


def _of_changes(box: Quarantine, range_: str, redact: Redactor) -> str:
    """Whatever a commit changes, against each of its parents."""
    asked = ("log", "--reverse", "-p", "-m", *_PLAIN, "--format=commit %H", range_, "--")
    return _found(box, redact, *asked)


def _found(box: Quarantine, redact: Redactor, *args: str, source: bytes | None = None) -> str:
    search = _Search(redact)
    feeding = Feeding(source=source, sink=search.add)
    box.need(*args, bounds=Bounds(text=_SEARCHED, feeding=feeding))
    return search.found()


class _Search:
    """Of a stream of any length, the first commit that has a secret; `SOME` outside of one. No
    line of a change is like the one that a commit begins with.
    """

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._commit, self._bad = _SOME, ""
        self._text = b"\n"  # not searched yet
        self._before = b""  # searched: a secret may go on

    def add(self, piece: bytes) -> None:
        self._text += piece
        if len(self._text) >= _PART:
            # Not within a line, unless that has no end.
            cut = self._text.rfind(b"\n")
            self._look(cut if cut > 0 else len(self._text))

    def found(self) -> str:
        self._look(len(self._text))
        return self._bad

    def _look(self, cut: int) -> None:
        began = 0
        for head in _SHOWN.finditer(self._text, 0, cut):
            self._judge(self._text[began : head.start()])
            self._commit, began = head[1].decode(), head.end()
        self._judge(self._text[began:cut])
        self._text = self._text[cut:]

    def _judge(self, text: bytes) -> None:
        together = self._before + text
        if not self._bad and self._redact.knows(together.decode("utf-8", "replace")):
            self._bad = self._commit
        self._before = together[-_OVERLAP:]


def _exposed(box: Quarantine, state: GitState, commit: str) -> Breach:
    there = str(state.remote_head or "")
    what = f"commit {commit[:12]} contains a token or password of this worker"
    if there and box.obtained(there) and box.is_ancestor(commit, there):
        return Breach(Reason.SECRET_PUSHED, f"{what} and is pushed: revoke the secret now")
    return Breach(Reason.SECRET_COMMITTED, f"{what}; it was not pushed for the agent")


def conduct(box: Quarantine, ended: EndedRun, state: GitState) -> Conduct:
    """Compare the remote with what it was. Nothing when either is unknown."""
    after = state.there
    before, place = _remembered(box.git), box.place
    if before is None or after is None or not workspace.is_clone(place.clone):
        return Conduct()
    own = f"refs/heads/{place.branch}"
    tips = Tips(before.get(own, ""), after.get(own, ""), state.head, ended.ours)
    lost = _overwritten(box, ended, tips)
    breaches = [_overwrote(place, lost)] if lost else []
    elsewhere: list[str] = []
    for ref, said in sorted(_changes(before, after).items()):
        if ref == own:
            continue
        if _pushed_from(place, ref, after.get(ref, "")):
            breaches.append(Breach(Reason.FORBIDDEN_PUSH, f"the agent pushed: {ref} was {said}"))
        elif not _of_a_task(ref):
            new = after.get(ref, _GONE)
            who = _who(ended.github, ended.task.repo, ref, new) if len(elsewhere) < _MOST else ""
            elsewhere.append(f"{ref} {said}{who}")
    return Conduct(tuple(breaches), tuple(elsewhere), lost)


def _overwrote(place: Workspace, lost: tuple[str, ...]) -> Breach:
    named = ", ".join(lost[:_MOST_LOST])
    told = (
        f"the agent overwrote commits of somebody else on {place.branch}: {named}; bring them back:"
        f" git fetch origin {lost[0]} && git merge {lost[0]}"
    )
    return Breach(Reason.OVERWRITTEN, told)


def _of_a_task(ref: str) -> bool:
    """Other workers push them."""
    return is_task_branch(ref.removeprefix("refs/heads/"))


def _who(github: Pushes | None, repo: str, ref: str, sha: str) -> str:
    """The account, as far as GitHub tells: of tags it does not. Several people may share one."""
    if github is None or not ref.startswith("refs/heads/"):
        return ""
    try:
        left, login = github.last_push(repo, ref)
    except CwError:
        return ""
    return f" by {login}" if login and left == sha else ""


def _remembered(git: Git) -> dict[str, str] | None:
    refs = read_json(git.home.refs)
    # Older versions noted what a tag leads to as well.
    return refs and {ref: sha for ref, sha in refs.items() if not ref.endswith("^{}")}


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Ref to created, deleted or moved."""
    found = {ref: "created" for ref in after if ref not in before}
    found |= {ref: "deleted" for ref in before if ref not in after}
    return found | {ref: "moved" for ref in before if ref in after and before[ref] != after[ref]}


def _pushed_from(place: Workspace, ref: str, sha: str) -> bool:
    """Whether the clone's own record says so. No proves nothing: it is the agent's to write."""
    if not ref.startswith("refs/heads/") or not sha:
        return False  # most: what the other workers push
    return sha in traces(place, ref.removeprefix("refs/heads/"), ()).pushed
