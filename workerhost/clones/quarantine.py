"""What a run's branch has, as data in a repository of the host's own. Everything that is judged or
pushed is looked at here, where nothing of the clone's configuration is; git itself calls such a
place a quarantine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cw.errors import CwError
from cw.homes.files import read_json
from workerhost.clones.bare import make_bare
from workerhost.clones.bounded import Feeding
from workerhost.clones.done import Done, need
from workerhost.clones.git import Bounds, Git
from workerhost.clones.host_repositories import scratch
from workerhost.clones.lens import SHA256_DIGITS, Lens
from workerhost.clones.mirror import mirror_path, used
from workerhost.clones.workspace import Workspace

_PACK_BYTES = 1 << 30
# Of old histories, which an agent may have merged: harmless. The search for secrets reads past NUL.
_OLD = ("zeroPaddedFilemode", "missingSpaceBeforeDate", "badTimezone", "nulInCommit")
_STRICT = f"--strict={','.join(f'{name}=ignore' for name in _OLD)}"
_USUAL = Bounds()


@dataclass(frozen=True, slots=True)
class Quarantine:
    """`path`: a bare repository that borrows the mirror's objects."""

    git: Git
    place: Workspace
    path: Path
    mirror: Path
    seen: set[str] = field(default_factory=set, compare=False)

    def run(self, *args: str, bounds: Bounds = _USUAL) -> Done:
        return self.git.own(*args, at=self.path, lender=self.mirror, bounds=bounds)

    def need(self, *args: str, bounds: Bounds = _USUAL) -> str:
        """Raises WorkspaceError, also TooLargeError."""
        return need(self.run(*args, bounds=bounds), args[0])

    def remote(self, *args: str, pushes: bool = False) -> Done:
        """With the login. Raises CwError."""
        return self.git.remote(*args, at=self.path, lender=self.mirror, pushes=pushes)

    def has(self, sha: str) -> bool:
        """Whether this commit is here. What is here stays."""
        if sha and sha not in self.seen and self.run("cat-file", "-e", f"{sha}^{{commit}}").ok:
            self.seen.add(sha)
        return sha in self.seen

    def obtained(self, sha: str) -> bool:
        """Whether it is here now: what was pushed from elsewhere is fetched."""
        if not sha or self.has(sha):
            return bool(sha)
        what = ("--quiet", "--no-tags", "--no-write-fetch-head", self.place.url, sha)
        try:
            self.remote("fetch", *what)
        except CwError:
            return False
        return self.has(sha)

    def is_ancestor(self, old: str, new: str) -> bool:
        return self.run("merge-base", "--is-ancestor", old, new).ok

    def bring(self, lens: Lens) -> str:
        """The branch's head in the clone, with all that it needs here and whole; empty when the
        branch is gone. Raises WorkspaceError, also TooLargeError.
        """
        known = [sha for sha in self._known() if self.has(sha)]
        head, *there = _resolved(lens, self.place.branch, known)
        if head and not self.has(head):
            self._take(lens, head, there)
            self._whole(head, known)
        return head

    def bring_also(self, lens: Lens, sha: str, have: Sequence[str]) -> None:
        """Another commit of the clone, and what it needs. `have`: what was brought before."""
        if not self.has(sha):
            known = [commit for commit in (*self._known(), *have) if self.has(commit)]
            there = [
                commit for commit in known if lens.run("cat-file", "-e", f"{commit}^{{commit}}").ok
            ]
            self._take(lens, sha, there)
            self._whole(sha, known)

    def _known(self) -> list[str]:
        """What the remote had when the run began: the clone need not give it back."""
        refs = read_json(self.git.home.refs) or {}
        before = str(refs.get(f"refs/heads/{self.place.branch}") or "")
        return [sha for sha in dict.fromkeys((self.place.base_sha, before)) if sha]

    def _take(self, lens: Lens, head: str, but: Sequence[str]) -> None:
        """A pack through a pipe into a file that only the host has, checked by the host's git."""
        wanted = "".join(f"{revision}\n" for revision in (head, *(f"^{sha}" for sha in but)))
        pack = self.path / "incoming"
        with pack.open("w+b") as file:
            feeding = Feeding(source=wanted.encode(), sink=file.write)
            lens.need(
                *("pack-objects", "--revs", "--stdout", "--thin", "--delta-base-offset", "-q"),
                bounds=Bounds(text=_PACK_BYTES, feeding=feeding),
            )
            file.seek(0)
            args = ("index-pack", "--stdin", "--fix-thin", _STRICT)
            self.need(*args, bounds=Bounds(feeding=Feeding(source=file)))
        pack.unlink()

    def _whole(self, head: str, known: Sequence[str]) -> None:
        """Nothing that the head leads to is missing."""
        self.need("rev-list", "--objects", "--quiet", head, "--not", *known, "--")


def _resolved(lens: Lens, branch: str, known: Sequence[str]) -> list[str]:
    """The branch's commit (empty: none), then those of `known` that the clone has as well."""
    asked = "".join(f"{revision}^{{commit}}\n" for revision in (f"refs/heads/{branch}", *known))
    feeding = Feeding(source=asked.encode())
    told = lens.need("cat-file", "--batch-check", bounds=Bounds(feeding=feeding)).splitlines()
    rows = [line.split(" ") for line in told]
    found = [row[0] if row[1:2] == ["commit"] else "" for row in rows]
    return [found[0] if found else "", *(sha for sha in found[1:] if sha)]


@contextmanager
def quarantined(git: Git, place: Workspace) -> Iterator[Quarantine]:
    """For as long as one settling. Raises WorkspaceError when it cannot be made."""
    mirror = mirror_path(git, place.url)
    with used(git, mirror), scratch(git.settings, git.home, "judged") as folder:
        path = folder / "objects.git"
        make_bare(path, sha256=len(place.base_sha) == SHA256_DIGITS, lender=mirror)
        box = Quarantine(git, place, path, mirror)
        if box.has(place.base_sha):
            (path / "refs" / "heads" / "base").write_text(f"{place.base_sha}\n", "ascii")
        yield box
