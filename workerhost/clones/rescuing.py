"""Work that only a clone has which cannot be used any more, brought into the one made after it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cw.errors import WorkspaceError
from workerhost.clones.bounded import Feeding
from workerhost.clones.git import Bounds, Git
from workerhost.clones.host_repositories import scratch
from workerhost.clones.lens import Lens, lens
from workerhost.clones.renewing import keep
from workerhost.clones.workspace import WIP, keep_work

log = logging.getLogger("workerhost.rescuing")

_PACK_BYTES = 1 << 30
_MANY = 200  # refs; those with work of their own are few
_LISTED = Bounds(text=4 << 20, entries=20_000)  # the host holds them all
_HEADS, _REMOTES = "refs/heads/", "refs/remotes/"


def rescue(git: Git, old: Path, new: Path, name: str) -> list[str]:
    """Where what it found is now: refs of the new clone. As far as git can read the old one, which
    stays as it is in any case.
    """
    found: list[str] = []
    try:
        with lens(git, old, unlock=True) as there, lens(git, new) as here:
            with suppress(WorkspaceError):
                keep_work(there, f"before-{name}")
            refs, known = _refs(there, here)
            if not _brought(there, here, refs.values(), known):
                for sha in refs.values():  # one of them may be what cannot be read
                    _brought(there, here, (sha,), known)
            for ref, sha in refs.items():
                if _whole(here, sha) and (kept := keep(here, _short(ref), sha)):
                    found.append(kept)
    except (WorkspaceError, OSError) as error:
        log.warning("not all of a clone could be read clone=%s: %s", old, error)
    return found


def _short(ref: str) -> str:
    return ref.removeprefix(_HEADS).removeprefix(WIP)


def _refs(there: Lens, here: Lens) -> tuple[dict[str, str], list[str]]:
    """Refs of the old one whose commits the new one has not, and commits that both have."""
    what = ("--format=%(objectname) %(refname)", _HEADS, WIP, _REMOTES)
    rows = [
        line.partition(" ")
        for line in there.run("for-each-ref", *what, bounds=_LISTED).out.splitlines()
    ]
    head = there.run("rev-parse", "--verify", "-q", "HEAD^{commit}").out.strip()
    found = {ref: sha for sha, _, ref in rows} | ({"HEAD": head} if head else {})
    asked = Feeding(source="".join(f"{sha}\n" for sha in found.values()).encode())
    told = here.need("cat-file", "--batch-check", bounds=Bounds(feeding=asked)).splitlines()
    known = {line.partition(" ")[0] for line in told if line.split(" ")[1:2] == ["commit"]}
    refs: dict[str, str] = {}
    for ref, sha in found.items():
        if not (sha in known or sha in refs.values() or ref.startswith(_REMOTES)):
            refs[ref] = sha
    return dict(list(refs.items())[:_MANY]), sorted(known)


def _brought(there: Lens, here: Lens, shas: Iterable[str], known: Iterable[str]) -> bool:
    """As a pack through a file of the host's."""
    wanted = "".join(f"{revision}\n" for revision in (*shas, *(f"^{sha}" for sha in known)))
    with (
        scratch(here.git.settings, here.git.home, "rescue") as folder,
        (folder / "pack").open("w+b") as file,
    ):
        feeding = Feeding(source=wanted.encode(), sink=file.write)
        what = ("pack-objects", "--revs", "--stdout", "-q")
        if not there.run(*what, bounds=Bounds(text=_PACK_BYTES, feeding=feeding)).ok:
            return False
        file.seek(0)
        taken = here.run("index-pack", "--stdin", bounds=Bounds(feeding=Feeding(source=file)))
        return taken.ok


def _whole(here: Lens, sha: str) -> bool:
    return here.run("rev-list", "--objects", "--quiet", sha, "--not", "--remotes", "--").ok
