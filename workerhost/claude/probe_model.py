"""A Messages API of one answer, for the probe: it makes the real claude call its tools.

Standard library only, on loopback, for a single conversation.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Json = dict[str, Any]
_USAGE = {"input_tokens": 1, "output_tokens": 1}


class ProbeModel:
    """`calls`: the tools to be called at once, as (name, input). `answers` is what they said, by
    their place among the calls, once claude has sent it back.
    """

    def __init__(self, calls: list[tuple[str, Json]]) -> None:
        self.calls = calls
        self.answers: dict[int, Json] = {}
        self.called = threading.Event()  # by something that is not claude
        self._server = _Server(("127.0.0.1", 0), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def blocks(self, request: Json) -> list[Json]:
        """The model's next words."""
        for message in request.get("messages", ()):
            content = message.get("content")
            for block in content if isinstance(content, list) else ():
                if block.get("type") == "tool_result":
                    self.answers[int(str(block["tool_use_id"]).removeprefix("toolu_"))] = block
        if self.answers:
            return [{"type": "text", "text": "Done."}]
        return [
            {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": given}
            for number, (name, given) in enumerate(self.calls)
        ]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], model: ProbeModel) -> None:
        self.model = model
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A claude that is ended in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""

    def do_HEAD(self) -> None:
        self._head(404, "text/plain")

    def do_GET(self) -> None:
        self.server.model.called.set()
        self._head(404, "text/plain")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        blocks = self.server.model.blocks(json.loads(raw))
        self._head(200, "text/event-stream")
        for name, fields in _events(blocks):
            line = json.dumps({"type": name, **fields})
            self.wfile.write(f"event: {name}\ndata: {line}\n\n".encode())

    def _head(self, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()


def _events(blocks: list[Json]) -> Iterator[tuple[str, Json]]:
    tools = blocks[0]["type"] == "tool_use"
    message: Json = {
        "id": "msg_probe",
        "type": "message",
        "role": "assistant",
        "model": "probe",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _USAGE,
    }
    yield "message_start", {"message": message}
    for index, block in enumerate(blocks):
        if block["type"] == "text":
            empty: Json = {**block, "text": ""}
            delta = {"type": "text_delta", "text": block["text"]}
        else:
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield "content_block_start", {"index": index, "content_block": empty}
        yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    end = {"stop_reason": "tool_use" if tools else "end_turn", "stop_sequence": None}
    yield "message_delta", {"delta": end, "usage": _USAGE}
    yield "message_stop", {}
