"""Pages of what a HOME keeps, for machines that do not have it."""

from __future__ import annotations

import base64
from typing import Any

from workerhost.archives import archives, is_running, log_of
from workerhost.layout import Home


def log_page(home: Home, task: str, offset: int, limit: int) -> dict[str, Any]:
    """`{data, offset, end, live}`: base64 of the next bytes, where the next page starts, whether
    the page reached the end, and whether the log may still grow. Raw: whoever reads it has the
    broker's password.
    """
    path = log_of(home, task or None)
    if path is None:
        return {"data": "", "offset": offset, "end": True, "live": False}
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(limit)
        end = not file.read(1)
    return {
        "data": base64.b64encode(data).decode(),
        "offset": offset + len(data),
        "end": end,
        "live": path == home.log and is_running(home),
    }


def newest_archives(home: Home, count: int) -> list[dict[str, Any]]:
    """What completed/ says of the last runs, newest first."""
    return [data for (_, data), _ in zip(archives(home), range(count), strict=False)]
