"""What a clone takes from the host's mirror of its repository."""

from __future__ import annotations

from cw.errors import TooLargeError
from cw.homes.files import read_regular
from cw.models import TaskSpec
from workerhost.clones.done import need
from workerhost.clones.git import NETWORK_SECONDS, Bounds
from workerhost.clones.lens import Lens
from workerhost.clones.mirror import KEPT, Mirror
from workerhost.clones.renewing import EVERY
from workerhost.clones.workspace import kept_ref

_ORIGIN = "refs/remotes/origin/"
_CONFIG_BYTES = 1 << 20
_PACKED_BYTES = 4 << 20  # of refs beside those of the remote: some 60,000
_REF_BYTES = 100
# What the repository has itself, however large: it was let in by the remote, not left by a run.
_LONG = Bounds(seconds=NETWORK_SECONDS)


def check_refs(seen: Lens, mirror: Mirror) -> None:
    """A fetch into a million branches takes a minute. Raises TooLargeError."""
    try:
        size = (seen.git_dir / "packed-refs").lstat().st_size
    except OSError:
        return
    if size > _PACKED_BYTES + 4 * _REF_BYTES * len(mirror.refs):
        raise TooLargeError(f"{seen.clone} has more branches than anybody makes")


def fetch_kept(seen: Lens, mirror: Mirror, spec: TaskSpec) -> None:
    first = spec.branch_name(1)
    specs = [
        f"+{KEPT}{first}/{name}:{kept_ref(name, sha)}"
        for name, sha in mirror.kept_of(first).items()
    ]
    if specs:
        what = ("fetch", "--quiet", "--no-write-fetch-head", str(mirror.path), *specs)
        need(seen.run(*what, readable=(mirror.path,), bounds=_LONG), "fetch")


def fetch(seen: Lens, mirror: Mirror, spec: TaskSpec) -> None:
    fetch_kept(seen, mirror, spec)
    what = ("--prune", "--quiet", "--no-write-fetch-head", "--update-shallow")
    done = seen.run("fetch", *what, str(mirror.path), EVERY, readable=(mirror.path,), bounds=_LONG)
    need(done, "fetch")
    head, wanted = _ORIGIN + "HEAD", _ORIGIN + mirror.default
    try:
        there = read_regular(seen.clone / ".git" / head, _CONFIG_BYTES)
    except OSError:
        there = b""
    if there != f"ref: {wanted}\n".encode():
        seen.need("symbolic-ref", head, wanted)
