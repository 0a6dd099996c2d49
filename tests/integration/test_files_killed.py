"""A writer killed in the middle of a record leaves the old or the new one."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from cw.homes.files import read_json
from tests.waiting import wait_until

WRITER = """
import json, pathlib, sys
from cw.homes.files import write_private
number = 0
while True:
    number += 1
    text = json.dumps({"number": number, "fill": "x" * 300_000, "again": number})
    write_private(pathlib.Path(sys.argv[1]), text.encode())
"""


def test_killed_writer_leaves_a_whole_record(tmp_path: Path) -> None:
    path, dice = tmp_path / "task.json", random.Random(7)  # noqa: S311
    seen = []
    for _ in range(8):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)]) as writer:
            path.unlink(missing_ok=True)
            wait_until(path.exists, what="the first record")
            time.sleep(dice.random() / 50)  # anywhere in the writing of some record
            writer.send_signal(signal.SIGKILL)
        found = read_json(path)

        assert found is not None
        assert (len(found["fill"]), found["again"]) == (300_000, found["number"])
        seen.append(found["number"])
    assert len(set(seen)) > 1  # not always at the same place
