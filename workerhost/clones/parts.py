"""Files that a repository keeps in Git LFS. Looked at in the mirror, before an agent is paid."""

from __future__ import annotations

import shutil

from cw.errors import WorkspaceError
from workerhost.clones.mirror import Mirror


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
