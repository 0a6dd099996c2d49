"""A real broker for a bench, in a folder that goes with it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import wait_until


@contextmanager
def running_broker() -> Iterator[tuple[Path, str]]:
    """The folder, and the broker's URL."""
    folder = Path(tempfile.mkdtemp(prefix="cw-bench-"))
    path = folder / "s"
    redis = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", ""],
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        wait_until(path.exists, what="redis-server")
        yield folder, f"unix://{path}"
    finally:
        redis.kill()
        redis.wait()
        shutil.rmtree(folder)
