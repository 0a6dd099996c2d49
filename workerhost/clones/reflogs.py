"""What a clone's own records say of who made a commit. They are the agent's to write: what they say
for an agent proves nothing, what they say against its work is believed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from cw.homes.files import read_regular
from workerhost.clones.workspace import Workspace

_BYTES = 4 << 20
_PUSHED = b"update by push"  # git's words, for the remote's branch as the clone knows it


@dataclass(frozen=True, slots=True)
class Traces:
    """Of one branch. `pushed`: from this clone. `fetched`: came from the remote while the agent was
    there. `made`: stood on the branch here, and came from nowhere.
    """

    pushed: frozenset[str] = frozenset()
    fetched: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()

    @property
    def own(self) -> frozenset[str]:
        return self.pushed | self.made


def traces(place: Workspace, branch: str, known: Collection[str]) -> Traces:
    """`known`: what the branch stood at before the agent began, so that no fetch of its own brought
    it.
    """
    logs = place.clone / ".git" / "logs" / "refs"
    remote = _entries(logs / "remotes" / "origin" / branch)
    pushed = frozenset(sha for sha, what in remote if what == _PUSHED)
    fetched = frozenset(sha for sha, what in remote if what != _PUSHED) - pushed - {*known}
    here = frozenset(sha for sha, _ in _entries(logs / "heads" / branch))
    return Traces(pushed, fetched, here - fetched)


def _entries(path: Path) -> list[tuple[str, bytes]]:
    try:
        lines = read_regular(path, _BYTES).splitlines()
    except OSError:
        return []
    # old sha, new sha, who, when, and after the tab what
    told = (line.partition(b"\t") for line in lines)
    rows = ((about.split(b" "), what) for about, _, what in told)
    return [(row[1].decode("ascii", "replace"), what) for row, what in rows if len(row) > 1]
