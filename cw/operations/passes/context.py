"""What a pass over GitHub and the records works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cw.forges.client import Client
    from cw.models import TaskSpec
    from cw.settings import Settings
    from cw.store.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class PassContext:
    settings: Settings
    store: Store
    github: Client
    hint: Callable[[TaskSpec], None]
    by: str  # whose dispatches these are
