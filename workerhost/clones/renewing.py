"""A used clone *as if new*: nothing of an earlier task's configuration, state or refs is there for
the next one to stumble over. What is only there is kept, below refs/cw/wip or in `set-aside/`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from cw.homes.files import read_regular, write_private
from cw.homes.owner import make_folders
from cw.names import is_task_branch
from workerhost.clones.bounded import Feeding
from workerhost.clones.flags import reveal
from workerhost.clones.foreign import clear_foreign
from workerhost.clones.git import NETWORK_SECONDS, Bounds
from workerhost.clones.lens import Lens, config, is_sha256
from workerhost.clones.mirror import HEADS, Mirror
from workerhost.clones.workspace import Workspace, kept_ref

EVERY = "+refs/heads/*:refs/remotes/origin/*"
_CONFIG_BYTES = 1 << 20
_LOG_BYTES = 4 << 20
_QUIET = Bounds(text=_CONFIG_BYTES)
# What the repository has itself, however large: it was let in by the remote, not left by a run.
_LONG = Bounds(seconds=NETWORK_SECONDS)
_REFS = Bounds(text=4 << 20, entries=20_000)  # of its own; the host holds them all
# Of a merge, rebase or bisection that nobody will end, and traps for whoever comes next.
_LEFT = (
    *("MERGE_HEAD", "MERGE_MSG", "MERGE_MODE", "AUTO_MERGE", "SQUASH_MSG", "CHERRY_PICK_HEAD"),
    *("REVERT_HEAD", "REBASE_HEAD", "rebase-merge", "rebase-apply", "sequencer", "rr-cache"),
    *("BISECT_LOG", "BISECT_START", "BISECT_NAMES", "BISECT_TERMS", "BISECT_EXPECTED_REV"),
    *("BISECT_ANCESTORS_OK", "hooks", "config.worktree", "commondir", "gitdir", "worktrees"),
    *("info/attributes", "info/grafts", "info/sparse-checkout", "info/exclude"),
    *("branches", "remotes"),
)
# As `git lfs install --local` writes it.
_LFS = (
    '[filter "lfs"]\n\tclean = git-lfs clean -- %f\n\tsmudge = git-lfs smudge -- %f\n'
    "\tprocess = git-lfs filter-process\n\trequired = true\n"
)
_POINTS = r"^(remote\.origin\.(url|fetch|pushurl)|core\.(bare|worktree))$"
_POINTS_ASTRAY = ("remote.origin.pushurl", "core.worktree")
_STASH = "refs/stash"
_MISLEADING = ("refs/replace/", "refs/bisect/", "refs/rewritten/", "refs/worktree/")
_SHA = re.compile(r"[0-9a-f]{40,64}")

Refs = list[tuple[str, str]]  # name and sha


def renew(seen: Lens, mirror: Mirror, place: Workspace, name: str, *, again: bool = False) -> None:
    """The branch as the remote has it, else new from the default branch; a clean tree, and a
    configuration that is ours. All by value: what the clone says of its refs is an agent's word.
    `name` is in the names of what is kept. `again`: the task was here before, and goes on from what
    it committed on top of that. Raises WorkspaceError.
    """
    branch = HEADS + place.branch
    start = at_remote(mirror, place)
    here = _further(seen, branch, start) if again else start
    start = here if here != start else place.carried or start
    theirs = seen.clone / ".git"
    _keep_detached(seen)
    for leftover in _LEFT:
        _remove(theirs / leftover)
    for folder in ("info", "hooks"):  # which tools expect to be there
        make_folders(theirs / folder)
    seen.stand_on(start)
    refs = _put_branches_away(seen, mirror, place, _refs(seen))
    _renew_refs(seen, place, start, refs)
    reveal(seen, everything=True)
    seen.need("read-tree", "--reset", "-u", start, bounds=_LONG)
    clear_foreign(seen, name)
    seen.need("clean", "-ffdq", bounds=_LONG)
    for part in theirs.glob("sharedindex.*"):
        part.unlink()
    write_private(theirs / "HEAD", f"ref: {branch}\n".encode())
    configure(seen, mirror, place)


def at_remote(mirror: Mirror, place: Workspace) -> str:
    """Where the branch stands there; at the default branch's end while nothing is on it."""
    start = mirror.refs.get(HEADS + place.branch, place.base_sha)
    return place.base_sha if mirror.part_of_base(start) else start


def _further(seen: Lens, branch: str, start: str) -> str:
    """Where the clone's branch has come to from there."""
    here = seen.run("rev-parse", "--verify", "--quiet", f"{branch}^{{commit}}").out.strip()
    return here if here and seen.run("merge-base", "--is-ancestor", start, here).ok else start


def configure(seen: Lens, mirror: Mirror, place: Workspace) -> None:
    sha256 = is_sha256(mirror.path)
    text = f"{config(sha256=sha256)}{_origin(place)}{_LFS if place.lfs else ''}"
    write_private(seen.clone / ".git" / "config", text.encode())


def _origin(place: Workspace) -> str:
    url = place.url.replace("\\", "\\\\").replace('"', '\\"')
    return f'[remote "origin"]\n\turl = "{url}"\n\tfetch = {EVERY}\n'


def point(seen: Lens, mirror: Mirror, place: Workspace) -> None:
    """For the agent's own git, which goes on with its configuration: what `origin` means. One that
    git cannot read is no use to it, and is made anew.
    """
    file = ("config", "--file", str(seen.clone / ".git" / "config"))
    told = seen.run(*file, "--get-regexp", _POINTS)
    wanted = {"remote.origin.url": place.url, "remote.origin.fetch": EVERY, "core.bare": "false"}
    if sorted(told.out.splitlines()) == sorted(f"{key} {value}" for key, value in wanted.items()):
        return
    if not seen.run(*file, "--list", bounds=_QUIET).ok:
        configure(seen, mirror, place)
        return
    for name, value in wanted.items():
        seen.need(*file, "--replace-all", name, value)
    for name in _POINTS_ASTRAY:
        seen.run(*file, "--unset-all", name)


def _put_branches_away(seen: Lens, mirror: Mirror, place: Workspace, refs: Refs) -> Refs:
    """What an earlier agent committed beside its branch stays reachable, and is not taken for work
    of this task. Branches of tasks stay: their changes can be looked at. In one command, as there
    may be many. Returns the others of `refs`.
    """
    remote = set(mirror.refs.values())
    kept, gone = dict[str, str](), dict[str, str]()
    for ref, sha in refs:
        name = ref.removeprefix(HEADS)
        if name in {ref, place.base, place.branch} or is_task_branch(name):
            continue
        gone[ref] = sha
        if sha not in remote:
            kept[kept_ref(name, sha)] = sha
    if gone:
        orders = [f"update {ref} {sha}" for ref, sha in kept.items()]
        update_refs(seen, [*orders, *(f"delete {ref} {sha}" for ref, sha in gone.items())])
    return [(ref, sha) for ref, sha in refs if ref not in gone]


def update_refs(seen: Lens, orders: Iterable[str]) -> None:
    """All of them, or none. Raises WorkspaceError."""
    lines = (f"option no-deref\n{order}\n" for order in orders)
    source = "".join(["start\n", *lines, "commit\n"]).encode()
    seen.need("update-ref", "--stdin", bounds=Bounds(feeding=Feeding(source=source)))


def _renew_refs(seen: Lens, place: Workspace, start: str, refs: Refs) -> None:
    """The task's branch and the default branch as the remote has them; nothing that stands in their
    way, or that has git read other objects than those it names.
    """
    ours = {HEADS + place.base: place.base_sha, HEADS + place.branch: start}
    gone = []
    for ref, sha in refs:
        if ref in ours:
            if sha != ours[ref] and not seen.run("merge-base", "--is-ancestor", sha, ours[ref]).ok:
                keep(seen, ref.removeprefix(HEADS), sha)
        elif ref == _STASH or ref.startswith(_MISLEADING) or _in_the_way(ref, ours):
            for commit in {sha, *(_stashed(seen) if ref == _STASH else ())}:
                keep(seen, ref.removeprefix(HEADS).removeprefix("refs/"), commit)
            gone.append(ref)
    for ref in gone:
        seen.need("update-ref", "--no-deref", "-d", ref)
        _remove(seen.clone / ".git" / "logs" / ref)
    for ref in ours:
        log_file = seen.clone / ".git" / "logs" / ref
        if log_file.is_dir():  # of branches below it, which are gone
            _remove(log_file)
    update_refs(seen, [f"update {ref} {sha}" for ref, sha in ours.items()])


def _refs(seen: Lens) -> Refs:
    what = ("--format=%(refname) %(objectname)", "refs/heads", _STASH, *_MISLEADING)
    lines = seen.need("for-each-ref", *what, bounds=_REFS).splitlines()
    return [(ref, sha) for ref, _, sha in (line.partition(" ") for line in lines)]


def _in_the_way(ref: str, ours: dict[str, str]) -> bool:
    """git keeps `a` and `a/b` apart as a file and a folder: there is one of them."""
    return any(ref.startswith(f"{other}/") or other.startswith(f"{ref}/") for other in ours)


def _stashed(seen: Lens) -> list[str]:
    """All of a stash: but for its last entry, it is a log."""
    log_file = seen.clone / ".git" / "logs" / _STASH
    try:
        text = read_regular(log_file, _LOG_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    found = (line.split(" ")[1:2] for line in text.splitlines())
    return [words[0] for words in found if words and _SHA.fullmatch(words[0])]


def _keep_detached(seen: Lens) -> None:
    """What the clone stands on, or a linked worktree, when that is on no branch."""
    own = seen.clone / ".git" / "HEAD"
    for head in (own, *(seen.clone / ".git" / "worktrees").glob("*/HEAD")):
        try:
            text = read_regular(head, 4096).decode("utf-8", "replace").strip()
        except OSError:
            continue
        if not _SHA.fullmatch(text):
            continue
        asked = ("rev-list", "-n", "1", text, "--not", "--branches", "--remotes", "--")
        if seen.run(*asked).out:
            keep(seen, "detached" if head == own else "worktree", text)


def keep(seen: Lens, what: str, sha: str) -> str:
    """A commit that nothing else may lead to stays reachable. Where; empty: there is none."""
    if not seen.run("cat-file", "-e", f"{sha}^{{commit}}").ok:
        return ""
    ref = kept_ref(what, sha)
    seen.need("update-ref", "--no-deref", ref, sha)
    return ref


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
