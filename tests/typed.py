"""`cw` as it is typed: each time a process of its own, with this environment and nothing else."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cw.cli.main import main
from tests.forking import forked


def typed(
    *args: str, env: Mapping[str, str], cwd: Path, stdin: bytes | None = None, timeout: float = 90.0
) -> subprocess.CompletedProcess[bytes]:
    """`timeout` in seconds. Raises subprocess.TimeoutExpired."""
    with tempfile.TemporaryDirectory(prefix="cw-typed-") as folder:
        given, out, err = (Path(folder) / name for name in ("in", "out", "err"))
        if stdin is None:
            given = Path(os.devnull)
        else:
            given.write_bytes(stdin)
        process = forked(main, ("cw", *args), env, cwd, (given, out, err))
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["cw", *args], timeout)
        wrote, said = (one.read_bytes() if one.exists() else b"" for one in (out, err))
        return subprocess.CompletedProcess(["cw", *args], process.exitcode, wrote, said)
