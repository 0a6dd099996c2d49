"""claude's stream-json as typed events. Tolerant: unknown lines pass."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any

from cw.models import Event
from cw.transcript.loglines import LINE_BYTES, TEXT_CAP, as_text

_SHORTEST = len(b'{"type":"x"}')  # nothing shorter says anything
_MARKS = 50_000  # of JSON's structure in a line: each may stand for 200 bytes of memory
_DATA_CAP = 16_000  # of what an event has beside its text, as JSON
_EVENTS_CAP = 100  # of one line
_TODO_TOOLS = frozenset({"TaskCreate", "TaskUpdate", "TodoWrite"})
MALFORMED = (AttributeError, TypeError, ValueError, OverflowError, OSError)
_ANY = re.compile(rb'\{\s?"type"\s?:\s?"')
_DECODER = json.JSONDecoder()
_WITHIN = 20  # objects of one line
_POINTS = ("command", "file_path", "path", "pattern", "url", "query", "subject", "description")


def parse(line: bytes) -> dict[str, Any] | None:
    """One line of the log as an object, whatever stands around it; None for anything else, and for
    what would take much more memory than its bytes.
    """
    if not _SHORTEST <= len(line) <= LINE_BYTES or b"{" not in line:
        return None
    if sum(map(line.count, (b",", b"[", b"{"))) > _MARKS:
        return None
    try:
        data = json.loads(line) if line.lstrip()[:1] == b"{" else _within(line)
    except (ValueError, RecursionError):
        data = _within(line)
    # Half of a pair, cut by claude, is no text that can be kept.
    if data and b"\\ud" in line.lower():
        with suppress(ValueError, RecursionError):
            data = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    return data if isinstance(data, dict) else None


def _within(line: bytes) -> dict[str, Any] | None:
    """The last of claude's objects that stands in a line with something else: a terminal's escape
    codes, the remains of a line without its end. Rather its result than any other.
    """
    last = None
    for found in list(_ANY.finditer(line))[-_WITHIN:]:
        with suppress(ValueError, RecursionError):
            data, _ = _DECODER.raw_decode(line[found.start() :].decode("utf-8", "replace"))
            if data.get("type") == "result" or last is None or last.get("type") != "result":
                last = data
    return last


def parse_line(line: bytes, offset: int, at: datetime) -> list[Event]:
    """What one line of worker.log says, for people. `offset` is where the next line starts."""
    data = parse(line)
    return as_text(line, offset, at) if data is None else told(data, offset, at)


def told(data: dict[str, Any], offset: int, at: datetime) -> list[Event]:
    """The same of a line that was read."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    with suppress(*MALFORMED):
        found.extend(islice(_events(data), _EVENTS_CAP))
    return [
        Event(at=at, kind=kind, text=text[:TEXT_CAP], offset=offset, data=_small(extra))
        for kind, text, extra in found
    ]


def _small(extra: dict[str, Any]) -> dict[str, Any]:
    """It goes to the broker and stays there."""
    return extra if len(json.dumps(extra)) <= _DATA_CAP else {}


def _events(data: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    kind, sub = data.get("type"), data.get("subtype")
    if kind == "system" and sub == "init":
        yield "init", f"{data.get('model', '?')} in {data.get('cwd', '?')}", {}
    elif kind == "system" and sub == "api_retry":
        again = f"attempt {data.get('attempt')}/{data.get('max_retries')}"
        why = data.get("error_status") or data.get("error") or "no answer"
        yield "retry", f"the API said {why}; {again}", {}
    elif kind == "system" and sub == "compacting":
        yield "note", "the conversation is being compacted", {}
    elif kind == "assistant":
        yield from _assistant(data)
    elif kind == "user":
        yield from _tool_results(data)
    elif kind == "rate_limit_event":
        info = data.get("rate_limit_info") or {}
        if info.get("status") != "allowed":
            yield "limit", f"{info.get('rateLimitType', 'usage')}: {info.get('status')}", info
    elif kind == "result":
        yield "end", _one_line(data.get("result") or data.get("errors") or sub), _totals(data)


def _assistant(data: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for block in blocks(data):
        if block.get("type") == "text" and str(block.get("text", "")).strip():
            yield "text", str(block["text"]).strip(), {}
        elif block.get("type") == "tool_use":
            name, given = str(block.get("name", "?")), block.get("input") or {}
            about = point(given)
            sort = "todo" if name in _TODO_TOOLS else "tool"
            extra = {"tool": name, "input": given} if sort == "todo" else {"tool": name}
            yield sort, f"{name}: {about}" if about else name, extra


def _tool_results(data: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for block in blocks(data):
        if block.get("type") == "tool_result":
            failed = bool(block.get("is_error"))
            yield "result", _first_line(block.get("content")), {"error": failed}


def blocks(data: dict[str, Any]) -> list[dict[str, Any]]:
    """What its message is made of."""
    content = (data.get("message") or {}).get("content")
    return (
        [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    )


def point(given: Any) -> str:
    """What a tool call is about, in one line."""
    if not isinstance(given, dict):
        return ""
    for name in _POINTS:
        if given.get(name):
            return _one_line(given[name])
    if given.get("taskId"):
        return _one_line(f"{given['taskId']} → {given.get('status', '?')}")
    return ""


def _first_line(content: Any) -> str:
    if isinstance(content, list):
        content = " ".join(
            str(block.get("text", "")) for block in content if isinstance(block, dict)
        )
    lines = str(content or "").strip()[:TEXT_CAP].splitlines()
    return lines[0] if lines else ""


def _one_line(value: Any) -> str:
    return " ".join(str(value)[: 2 * TEXT_CAP].split())


def _totals(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "is_error": bool(data.get("is_error")),
        "turns": data.get("num_turns"),
        "cost_usd": data.get("total_cost_usd"),
    }
