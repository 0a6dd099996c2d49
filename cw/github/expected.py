"""What is no trouble in an answer of GitHub's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expected:
    """An answer of this kind, or one of the statuses that are `taken` for no error."""

    kind: type = dict
    taken: Collection[int] = ()


OBJECT = Expected()
ROWS = Expected(list)
