"""The Messages API on loopback, answering from scripts."""

import json
import socket
import struct
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Any, Self

from tests.standins.messages import answer
from tests.standins.messages.accounts import ApiAccount
from tests.standins.messages.scripts import Matcher, Request, Script, Scripts
from tests.standins.messages.turns import Turn

NO_WAITING_CLOSE = struct.pack("ii", 1, 0)


class MessagesStandIn:
    """`with MessagesStandIn() as api:` serves at `api.url` until the block ends."""

    def __init__(self, port: int = 0, address: str = "127.0.0.1") -> None:
        self.scripts = Scripts()
        self.closing = Event()
        self._arrived = Condition()
        self._requests: list[Request] = []
        self._server = Server((address, port), self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://{self._server.server_address[0]!s}:{self._server.server_port}"

    def script(self, *turns: Turn, match: Matcher = None) -> None:
        """Answers conversations that fit `match`: a word or session id in them, or a function."""
        self.scripts.add(Script(turns, match))

    def account(self, credential: str) -> ApiAccount:
        """What the API does with this token or key from now on is its account's to say."""
        account = ApiAccount(credential)
        self.scripts.changes.append(account.answer)
        return account

    @property
    def requests(self) -> list[Request]:
        """The messages asked for so far, oldest first."""
        with self._arrived:
            return [one for one in self._requests if one.method == "POST"]

    @property
    def everything(self) -> list[Request]:
        with self._arrived:
            return list(self._requests)

    def of_session(self, session: str) -> list[Request]:
        return [one for one in self.requests if one.session == session]

    def wait_for(self, fits: Callable[[Request], bool], timeout_s: float = 20) -> Request:
        """The first request that fits, past or to come."""
        found: list[Request] = []

        def arrived() -> bool:
            found.extend(one for one in self._requests if one.method == "POST" and fits(one))
            return bool(found)

        with self._arrived:
            if not self._arrived.wait_for(arrived, timeout_s):
                raise TimeoutError(f"no such request within {timeout_s} s")
        return found[0]

    def note(self, request: Request) -> None:
        with self._arrived:
            self._requests.append(request)
            self._arrived.notify_all()

    def start(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a hanging answer must not hold up the end

    def __init__(self, address: tuple[str, int], api: MessagesStandIn) -> None:
        self.api = api
        super().__init__(address, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients are killed in these tests; their broken connections are no news."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_args: Any, **_named: Any) -> None:
        """The requests are kept; nothing is printed."""

    def do_HEAD(self) -> None:
        self._noted({}, 0)
        self._head(404, {"Content-Length": "0"})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        request = self._noted(json.loads(raw), len(raw))
        turn = self.server.api.scripts.turn(request)
        self._hold(turn)
        if turn.failure is None:
            self._answer(request, turn)
        elif turn.failure.status is None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_WAITING_CLOSE)
        else:
            self._json(turn.failure.status, answer.failure(turn.failure), turn)

    def _noted(self, body: dict[str, Any], size: int) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(
            method=self.command,
            path=self.path,
            headers=headers,
            body=body,
            size=size,
            at=time.monotonic(),
        )
        self.server.api.note(request)
        return request

    def _hold(self, turn: Turn) -> None:
        closing = self.server.api.closing
        closing.wait(turn.delay_s)
        while turn.gate and not turn.gate.wait(0.05):
            if closing.is_set():
                raise ConnectionAbortedError

    def _answer(self, request: Request, turn: Turn) -> None:
        model = request.body.get("model", "")
        if not request.body.get("stream"):
            self._json(200, answer.message(turn, model), turn)
            return
        self._head(200, {"Content-Type": "text/event-stream", **turn.headers})
        self._send(answer.events(turn, model))

    def _json(self, status: int, content: dict[str, Any], turn: Turn) -> None:
        self._head(status, {"Content-Type": "application/json", **turn.headers})
        self._send([json.dumps(content).encode()])

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, parts: Iterable[bytes]) -> None:
        for part in parts:
            self.wfile.write(part)
            self.wfile.flush()
