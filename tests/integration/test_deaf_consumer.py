"""A consumer that is connected and hears nothing: its host starts again, its runs do not notice."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cw.states import State
from tests.integration.hosting import machine
from tests.integration.test_adoption import under_way
from tests.waiting import wait_until

SLOW = "rehearse: pace 0.05\nrehearse: slow 25\n"
QUICK = "rehearse: pace 0.05\n"


@dataclass
class Proxy:
    """In front of the broker. While `deaf` is set, what asks for messages gets no answer, as on a
    connection whose other end has gone without a word.
    """

    path: Path
    target: Path
    deaf: threading.Event = field(default_factory=threading.Event)
    dropped: threading.Event = field(default_factory=threading.Event)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self.target))
            for job in (self._up, self._down):
                threading.Thread(target=job, args=(client, server), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        polls = False
        with suppress(OSError), client, server:
            while data := client.recv(1 << 16):
                polls = polls or b"BRPOP" in data
                if polls and self.deaf.is_set():
                    self.dropped.set()
                else:
                    server.sendall(data)

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client, server:
            while data := server.recv(1 << 16):
                client.sendall(data)


@contextmanager
def proxy(path: Path, target: Path) -> Iterator[Proxy]:
    made = Proxy(path, target)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        thread = threading.Thread(target=made.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_deaf_consumer_is_replaced_and_its_runs_are_adopted(git_repo: Path) -> None:
    with machine(git_repo, CW_DEAF_AFTER="3") as here:
        here.add_worker("02")
        with proxy(here.folder / "p", here.folder / "s") as way:
            here.more["CW_BROKER_URL"] = f"unix://{way.path}"
            host = here.start()
            spec = here.dispatch(SLOW)
            under_way(here, spec)
            way.deaf.set()
            wait_until(way.dropped.is_set, what="the next poll")
            waiting = here.dispatch(QUICK, wanted_worker="02")

            assert host.wait(40) == os.EX_TEMPFAIL

            assert "the consumer is deaf" in here.log()
            assert here.task(waiting).state is State.QUEUED
            assert here.task(spec).state is State.RUNNING
            way.deaf.clear()
            here.start()
            here.reaches(waiting, State.DONE)
            task = here.reaches(spec, State.DONE)
            agents = [one for one in here.agents() if one["id"] == spec.id]
            assert (task.attempt, task.losses, len(agents)) == (1, 0, 1)
