"""JSON schemas of what commands print with --json."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field, TypeAdapter

from cw.audit import Entry
from cw.cli.views.config_schema import config_schema
from cw.models import Event, Model, Task
from cw.operations.fleet.hosts import HostRow
from cw.operations.fleet.notifiers import TriedRow
from cw.operations.fleet.remote_disk import Changes
from cw.operations.pulls.merge import MergeRow
from cw.operations.views.accounts import AccountRow
from cw.operations.views.costs import Costs
from cw.operations.views.history import Finished
from cw.operations.views.pulls import PullRow
from cw.operations.views.queue import QueueRow
from cw.operations.views.reviews import OpinionRow, ReviewRow, Sheet
from cw.operations.views.rows import Overview, UndeliveredRow, UnseenRow
from cw.operations.views.stats import Stats
from cw.operations.views.timeline import Story
from cw.transcript.todos import TodoList


class TaskLine(Task):
    """A line of `cw watch`: the record, whenever its state changed."""

    type: Literal["task"]


class EventLine(Event):
    """A line of `cw watch`: one thing the agent said or did."""

    type: Literal["event"]


class SettingRow(Model):
    """One setting, as `cw config` shows it."""

    setting: str
    section: str
    key: str
    variable: str
    value: str
    from_: str = Field(serialization_alias="from")
    meaning: str


class SetRow(Model):
    """A setting of config.toml that was changed."""

    setting: str
    section: str
    key: str
    variable: str
    value: str | None  # as it may be shown; null: taken out


class ConfigChanged(Model):
    """What `cw config set` and `unset` have done."""

    config: str
    settings: list[SetRow]
    warnings: list[str]  # why it may not be seen at once


class ConfigPlace(Model):
    """Where config.toml is, or would be."""

    config: str
    exists: bool


# By command. Of those marked *, each line is one object.
PRINTED: dict[str, Any] = {
    "status": Overview,
    "queue": list[QueueRow],
    "watch": TaskLine | EventLine,  # *
    "inspect": Event,  # *
    "logs": Event,  # *
    "todos": list[TodoList],
    "show": Story,
    "diff": Changes,
    "outbox": list[UndeliveredRow],
    "notify": list[TriedRow],
    "history": list[Finished],
    "cost": Costs,
    "stats": Stats,
    "accounts": list[AccountRow],
    "prs": list[PullRow],
    "prs resume": PullRow,
    "review": list[Sheet] | ReviewRow | list[OpinionRow],
    "merge": list[MergeRow],
    "hosts": list[HostRow],
    "audit": list[Entry],
    "seen": list[UnseenRow],
    "config": list[SettingRow],
    "config set": ConfigChanged,
    "config unset": ConfigChanged,
    "config path": ConfigPlace,
}


def schema(name: str) -> dict[str, Any]:
    made = TypeAdapter(PRINTED[name]).json_schema(mode="serialization")
    about = f"What `cw {name} --json` prints"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": f"cw {name}",
        "description": f"{about}, each line."
        if name in {"watch", "inspect", "logs"}
        else f"{about}.",
    }


def schemas() -> dict[str, str]:
    """The files of docs/schemas, by name."""
    made = {name.replace(" ", "-"): schema(name) for name in PRINTED} | {
        "config.toml": config_schema()
    }
    return {name: json.dumps(found, indent=2) + "\n" for name, found in made.items()}
