"""A setting as people type it, and how a row of the tables is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cw import values

# In the order in which they are shown.
SECTIONS = {
    "broker": "Where the records and the queues are",
    "fleet": "What all machines of a fleet share",
    "host": "This machine",
    "agent": "Who works: claude, and what it has besides its HOME",
    "sandbox": "The walls around agents",
    "run": "How much one run may take",
    "task": "How often a task is tried",
    "account": "How limits and outages of the model's API are met",
    "budget": "What may be spent together, by worker, account and fleet: `20usd 500turns 600min`, by day and month of UTC",
    "lease": "How long a run is believed to live",
    "git": "What the host's own git may take for what an agent left",
    "github": "Where GitHub is, and who talks to it as whom",
    "assign": "Issues that hand themselves out",
    "reconcile": "Labels, tasks and issues that are made to agree again",
    "pulls": "Pull requests that are followed until they are merged",
    "notify": "Who is told outside of GitHub",
    "flower": "The web page",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    name: str  # of the field of Settings
    section: str  # in config.toml
    key: str  # in that section
    read: Callable[[str], Any]  # raises ValueError
    doc: str
    also: tuple[str, ...]  # variables that give it when `variable` does not, the first one wins
    field: Field[Any]

    @property
    def dotted(self) -> str:
        """As it is typed and shown."""
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        return f"CW_{self.name.upper()}"

    @property
    def default(self) -> Any:
        made = self.field.default_factory
        return self.field.default if made is MISSING else made()

    @property
    def words(self) -> tuple[str, ...]:
        """All that it can be; empty: no end of them."""
        return self.read.words if isinstance(self.read, values.OneOf) else ()

    @property
    def many(self) -> bool:
        """A list of values."""
        return isinstance(self.default, tuple)


def setting(dotted: str, default: Any, read: Callable[[str], Any], doc: str, *also: str) -> Any:
    """A row: a field of a dataclass of the tables."""
    section, _, key = dotted.partition(".")
    metadata = {"section": section, "key": key, "read": read, "doc": doc, "also": also}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def rows(table: type[Any]) -> tuple[Setting, ...]:
    """The settings of a dataclass, section by section."""
    found = [Setting(name=row.name, field=row, **row.metadata) for row in fields(table)]
    order = list(SECTIONS)
    return tuple(sorted(found, key=lambda row: order.index(row.section)))


def in_toml(value: Any) -> Any:
    """A value of Settings as it is written into config.toml."""
    if isinstance(value, tuple):
        return [str(part) for part in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return str(value) if isinstance(value, Path) else value


def named(names: Iterable[str], table: Iterable[Setting]) -> list[Setting]:
    """Those with these names of fields."""
    by_name = {row.name: row for row in table}
    return [by_name[name] for name in names]


def nearest(typed: str, table: Iterable[Setting]) -> Setting | None:
    """What was probably meant by a name that is none."""
    names: dict[str, Setting] = {}
    for row in table:  # a whole name counts more than a key, which several sections may have
        names |= {row.dotted: row, row.name: row}
    for row in table:
        names.setdefault(row.key, row)
    last = typed.rpartition(".")[2]
    near = get_close_matches(typed, names, n=1) or get_close_matches(last, names, n=1, cutoff=0.5)
    return names[near[0]] if near else None


def home_path(text: str) -> Callable[[], Path]:
    return lambda: values.path(text)
