"""What git makes of a merge of two commits, without a working tree."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from workerhost.clones.done import Done

_SHA = re.compile(r"[0-9a-f]{40,64}")
_ASKED = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")


@dataclass(frozen=True, slots=True)
class Merge:
    """`tree`: with marks of conflict in what is in conflict."""

    tree: str
    conflicts: tuple[str, ...] = ()


def merge(run: Callable[..., Done], ours: str, theirs: str) -> Merge | None:
    """`run`: git, where both are. None: it cannot say (before 2.38), or lacks one of them."""
    done = run(*_ASKED, ours, theirs)
    tree, *names = done.out.split("\0")
    if done.over or not _SHA.fullmatch(tree):
        return None
    return Merge(tree, tuple(name for name in names if name))
