"""What only the host's side can answer about this machine, asked in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from cw.errors import BadInputError, CwError


def ask_local(environ: Mapping[str, str], question: str, *words: str) -> Iterator[dict[str, Any]]:
    """The answers of `python -m workerhost.local`, as they come. Its errors are raised as ours:
    BadInputError where nothing was of use that was typed, else CwError.
    """
    command = [sys.executable, "-P", "-m", "workerhost.local", question, *words]
    with subprocess.Popen(
        command,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout  # noqa: S101  it is a pipe
        try:
            for line in process.stdout:
                answer = json.loads(line)
                if "error" in answer:
                    raise _error(process.wait(), **answer["error"])
                yield answer
            process.wait()  # it has said all, and must not be killed while it ends
        finally:
            process.kill()  # whoever asked may have heard enough
    if process.returncode:
        raise CwError(
            f"this machine could not be asked for {question}: exit status {process.returncode}",
            hint=f"What it says: {' '.join(command[1:])}, with python",
        )


def _error(status: int, message: str, hint: str) -> CwError:
    family = BadInputError if status == BadInputError.exit_code else CwError
    return family(message, hint=hint)
