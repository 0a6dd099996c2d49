"""Files that a repository keeps in Git LFS: had before a run and uploaded with the branch, both in
the network step. Between the mirror, clones and the quarantine they go as data, by their hashes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from cw.errors import CwError, UnavailableError, WorkspaceError
from cw.homes.files import open_regular
from cw.homes.layout import in_place
from workerhost.clones.bounded import Feeding
from workerhost.clones.done import Done, need
from workerhost.clones.flags import Names
from workerhost.clones.git import NETWORK_SECONDS, Bounds
from workerhost.clones.git_errors import failure
from workerhost.clones.lens import Lens, has_lfs
from workerhost.clones.mirror import Mirror
from workerhost.clones.quarantine import Quarantine

_POINTER = re.compile(
    rb"git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\n"
)
_POINTER_BYTES = 1024  # git-lfs takes nothing larger for one
_OVERLAP = 2 * _POINTER_BYTES
_ALL = 1 << 30
_CHUNK = 1 << 20
_MOST_BYTES = 4 << 30  # that one run uploads
_LONG = Bounds(seconds=NETWORK_SECONDS)
_AT_ONCE = 200  # oids in one command's arguments
# From $1 to $2, those that are asked for on stdin and not there yet.
_COPY = (
    'while read -r one; do to="$2/$one"; [ -e "$to" ] || { mkdir -p "${to%/*}" &&'
    ' cp "$1/$one" "$to"; } || exit 1; done'
)
_GREP = ("grep", "-l", "-e", "filter=lfs")
_EVERYWHERE = ("--", ":(glob)**/.gitattributes")


def check(mirror: Mirror, start: str) -> bool:
    """Whether this tree's files are in Git LFS. Raises WorkspaceError where that is not installed:
    an agent would work on pointers, and commit what nobody can check out.
    """
    found = mirror.git.own(*_GREP, start, *_EVERYWHERE, at=mirror.path).out.split("\n")[0]
    if found and not has_lfs(mirror.git):
        raise WorkspaceError(
            f"the repository keeps files in Git LFS ({found.partition(':')[2]} says so), and"
            " git-lfs is not installed on this host",
            hint="Install it: apt install git-lfs",
        )
    return bool(found)


def fetch(mirror: Mirror, url: str, start: str) -> set[str]:
    """Into the mirror, what this tree needs. Their names. Raises UnavailableError for what may pass
    by itself, else WorkspaceError.
    """
    rows: list[bytes] = []
    listing = Names(rows.append)
    asked = ("ls-tree", "-r", "-l", "-z", "--full-tree", start)
    need(mirror.git.own(*asked, at=mirror.path, bounds=listing.bounds), "ls-tree")
    about = (row.partition(b"\t")[0].split() for row in rows)
    small = [row[2].decode() for row in about if row[1] == b"blob" and _is_small(row[3])]
    wanted = _pointers(partial(mirror.git.own, at=mirror.path), small)
    if all(_object(mirror.path / "lfs", oid).is_file() for oid in wanted):
        return wanted
    done = mirror.git.remote(*_to(url), "lfs", "fetch", "origin", start, at=mirror.path)
    if not done.ok:
        told = failure(done)
        kind = UnavailableError if told.kind == "passing" else WorkspaceError
        raise kind(f"files in Git LFS cannot be fetched: {told.message}", hint=told.hint)
    for oid in wanted:  # whoever clones are made by may be another user
        path = _object(mirror.path / "lfs", oid)
        if path.is_file():
            path.chmod(0o644)
    return wanted


def hand_over(seen: Lens, mirror: Mirror, wanted: Iterable[str]) -> None:
    """To a clone, behind its wall. Raises WorkspaceError."""
    store = mirror.path / "lfs" / "objects"
    names = sorted(str(_object(Path(), oid).relative_to("objects")) for oid in wanted)
    if names:
        feeding = Feeding(source="".join(f"{name}\n" for name in names).encode())
        theirs = seen.git_dir / "lfs" / "objects"
        done = seen.git.behind(
            ["/bin/sh", "-c", _COPY, "sh", str(store), str(theirs)],
            at=seen.git.home.path,
            env={},
            readable=(store,),
            bounds=Bounds(seconds=NETWORK_SECONDS, feeding=feeding),
        )
        need(done, "lfs")


def upload(box: Quarantine, head: str, knows: Callable[[str], bool]) -> str:
    """What the run's commits have of them, so that the remote has them before the branch. Why not;
    empty: it has. `knows`: whether a text has a secret.
    """
    if not has_lfs(box.git) or not box.run(*_GREP, head, *_EVERYWHERE).out:
        return ""
    try:
        oids = [oid for oid in _of_commits(box, head) if _taken(box, oid, knows)]
        for at in range(0, len(oids), _AT_ONCE):
            some = oids[at : at + _AT_ONCE]
            done = box.remote(*_to(box.place.url), "lfs", "push", "--object-id", "origin", *some)
            if not done.ok:
                return f"files in Git LFS cannot be uploaded: {failure(done).message}"
    except (CwError, OSError) as error:
        return f"files in Git LFS cannot be uploaded: {error}"
    return ""


def _of_commits(box: Quarantine, head: str) -> list[str]:
    asked = ("rev-list", "--objects", "--no-object-names", head, "--not", box.place.base_sha, "--")
    shas: list[bytes] = []
    lines = Bounds(text=_ALL, feeding=Feeding(sink=shas.append))
    box.need(*asked, bounds=lines)
    feeding = Feeding(source=b"".join(shas), sink=(told := list[bytes]()).append)
    checked = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
    box.need("cat-file", checked, bounds=Bounds(text=_ALL, feeding=feeding))
    rows = (line.split(b" ") for line in b"".join(told).splitlines())
    small = [row[0].decode() for row in rows if row[1] == b"blob" and _is_small(row[2])]
    return sorted(_pointers(box.run, small))


def _is_small(size: bytes) -> bool:
    return size.isdigit() and int(size) <= _POINTER_BYTES


def _pointers(run: Callable[..., Done], blobs: Iterable[str]) -> set[str]:
    found: set[str] = set()
    rest = b""

    def look(piece: bytes) -> None:
        nonlocal rest
        text = rest + piece
        found.update(oid.decode() for oid in _POINTER.findall(text))
        rest = text[-_OVERLAP:]

    feeding = Feeding(source="".join(f"{blob}\n" for blob in blobs).encode(), sink=look)
    need(run("cat-file", "--batch", bounds=Bounds(text=_ALL, feeding=feeding)), "cat-file")
    return found


def _taken(box: Quarantine, oid: str, knows: Callable[[str], bool]) -> bool:
    """From the clone into the quarantine, if it has what its name says. False: it is not there, and
    the remote may have it. Raises WorkspaceError.
    """
    theirs = _object(box.place.clone / ".git" / "lfs", oid)
    if not in_place(box.git.home, theirs) or not theirs.is_file():
        return False
    ours = _object(box.path / "lfs", oid)
    ours.parent.mkdir(parents=True, exist_ok=True)
    hashed, size, before = hashlib.sha256(), 0, b""
    with open_regular(theirs) as source, ours.open("wb") as copy:
        while piece := source.read(_CHUNK):
            size += len(piece)
            hashed.update(piece)
            copy.write(piece)
            if knows((before + piece).decode("utf-8", "replace")):
                raise WorkspaceError(f"there is a secret in one of them ({oid[:12]})")
            if size > _MOST_BYTES:
                raise WorkspaceError(f"one is larger than {_MOST_BYTES >> 30} GiB")
            before = piece[-(1 << 16) :]
    if hashed.hexdigest() != oid:
        raise WorkspaceError(f"what the clone has of {oid[:12]} is something else")
    return True


def _object(store: Path, oid: str) -> Path:
    return store / "objects" / oid[:2] / oid[2:4] / oid


def _to(url: str) -> tuple[str, ...]:
    """Above what `.lfsconfig` says, which is a stranger's: the login goes to the repository's own
    server.
    """
    server = f"{url.removesuffix('/').removesuffix('.git')}.git/info/lfs"
    where = server if url.startswith(("http://", "https://")) else url
    pairs = {"remote.origin.url": url, "lfs.url": where, "lfs.pushurl": where}
    pairs |= {"lfs.locksverify": "false", "lfs.basictransfersonly": "true"}
    return tuple(word for key, value in pairs.items() for word in ("-c", f"{key}={value}"))
