"""What a repository keeps elsewhere: files in Git LFS, submodules. Looked at in the mirror, before
an agent is paid.
"""

from __future__ import annotations

import shutil

from cw.errors import WorkspaceError
from workerhost.clones.flags import Names
from workerhost.clones.mirror import Mirror

_MANY = 5  # that are named
_GITLINK = b"160000 commit "


def check_lfs(mirror: Mirror, start: str) -> None:
    """Raises WorkspaceError for a tree whose files only Git LFS has, where that is not installed:
    an agent would work on pointers, and commit what nobody can check out.
    """
    if shutil.which("git-lfs", path=mirror.git.env.get("PATH", "")):
        return
    what = ("grep", "-l", "-e", "filter=lfs", start, "--", ":(glob)**/.gitattributes")
    found = mirror.git.own(*what, at=mirror.path).out.split("\n")[0]
    if found:
        raise WorkspaceError(
            f"the repository keeps files in Git LFS ({found.partition(':')[2]} says so), and"
            " git-lfs is not installed on this host",
            hint="Install it: apt install git-lfs",
        )


def empty_submodules(mirror: Mirror, start: str) -> str:
    """What to say of them; empty when there is none. A new clone has their folders, with nothing in
    them, and a used one has them like that again.
    """
    if not mirror.git.own("cat-file", "-e", f"{start}:.gitmodules", at=mirror.path).ok:
        return ""
    rows: list[bytes] = []
    listing = Names(lambda row: rows.append(row) if row.startswith(_GITLINK) else None)
    mirror.git.own("ls-tree", "-r", "-z", start, at=mirror.path, bounds=listing.bounds)
    paths = [row.partition(b"\t")[2].decode("utf-8", "replace") for row in rows]
    if not paths:
        return ""
    more = f" and {len(paths) - _MANY} more" if len(paths) > _MANY else ""
    return (
        f"submodules are not fetched: {', '.join(paths[:_MANY])}{more} {_is(paths)} empty here."
        " git submodule update --init fetches them at the commit that the repository wants"
    )


def _is(paths: list[str]) -> str:
    return "is" if len(paths) == 1 else "are"
