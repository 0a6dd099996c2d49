"""A clone made of a mirror, without a working tree yet: of a task's repository, of a submodule."""

from __future__ import annotations

from pathlib import Path

from workerhost.clones.done import need
from workerhost.clones.git import NETWORK_SECONDS, Bounds, Git
from workerhost.clones.host_repositories import scratch, write_open
from workerhost.clones.lens import global_config
from workerhost.clones.mirror import Mirror

_LONG = Bounds(seconds=NETWORK_SECONDS)


def copy(git: Git, mirror: Mirror, part: Path) -> None:
    """With copies of the mirror's files: what shares them could write into
    them. Raises WorkspaceError.
    """
    with scratch(git.settings, git.home, "clone") as folder:
        write_open(folder / "global", global_config(git))
        what = ("clone", "--quiet", "--no-hardlinks", "--no-checkout", "--template=")
        done = git.inside(
            *(*what, "--origin", "origin", "--", str(mirror.path), str(part)),
            at=git.home.path,
            env={"GIT_CONFIG_GLOBAL": str(folder / "global")},
            readable=(folder, mirror.path),
            bounds=_LONG,
        )
        need(done, "clone")
