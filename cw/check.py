"""One thing that `cw doctor` looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "next", "warn", "fail"]  # next: nothing is wrong, it is to be done


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    state: State
    text: str
    fix: str = ""  # what to type
    worker: str = ""  # whose, where it may be many workers' alike
