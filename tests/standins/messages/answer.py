"""One turn as the Messages API writes it: a message, or the events of its stream."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tests.standins.messages.turns import ERROR_TYPES, Failure, Turn

Json = dict[str, Any]


def message(turn: Turn, model: str) -> Json:
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [_with_id(dict(block)) for block in turn.blocks],
        "stop_reason": _stop_reason(turn),
        "stop_sequence": None,
        "usage": asdict(turn.usage),
    }


def failure(what: Failure) -> Json:
    kind = ERROR_TYPES.get(what.status or 500, "api_error")
    details = {"details": {"error_code": what.code}} if what.code else {}
    return {"type": "error", "error": {"type": kind, "message": what.message, **details}}


def _stop_reason(turn: Turn) -> str:
    return "max_tokens" if turn.cut else "tool_use" if turn.calls_tools else "end_turn"


def events(turn: Turn, model: str) -> Iterator[bytes]:
    whole = message(turn, model)
    start = {
        **whole,
        "content": [],
        "stop_reason": None,
        "usage": {**whole["usage"], "output_tokens": 1},
    }
    yield _event("message_start", message=start)
    yield _event("ping")
    for index, block in enumerate(whole["content"]):
        yield from _block(index, block)
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    tokens = {"output_tokens": turn.usage.output_tokens}
    yield _event("message_delta", delta=delta, usage=tokens)
    yield _event("message_stop")


def _block(index: int, block: Json) -> Iterator[bytes]:
    if block["type"] == "text":
        empty = {**block, "text": ""}
        delta = {"type": "text_delta", "text": block["text"]}
    else:
        empty = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    yield _event("content_block_start", index=index, content_block=empty)
    yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _with_id(block: Json) -> Json:
    return block | ({"id": f"toolu_{uuid.uuid4().hex[:24]}"} if block["type"] == "tool_use" else {})


def _event(name: str, **fields: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()
