"""A task as the broker has it, read. Pure."""

from __future__ import annotations

import json

from cw.models import MALFORMED, PROTOCOL, Task
from cw.store.unreadable import fault, need_text


def read_task(row: dict[str, str]) -> Task | str:
    """Or why its record cannot be read."""
    data: dict[str, object] = {k: v for k, v in row.items() if k not in {"claim", "was"}}
    try:
        need_text(row)
        data["spec"] = json.loads(row.get("spec", "null"))
        for name in ("outcome", "start"):
            data[name] = json.loads(row[name]) if row.get(name) else None
        return Task.model_validate(data)
    except MALFORMED as error:
        return fault(error)


def is_newer(protocol: object) -> bool:
    """Whether a newer cw than this one made it."""
    text = protocol if isinstance(protocol, str) else ""
    return text.isascii() and text.isdigit() and int(text) > PROTOCOL
