"""Reading a run's log as it grows."""

from __future__ import annotations

import json
from pathlib import Path

from cw.homes.layout import Home
from cw.models import Event
from cw.transcript.loglines import LINE_BYTES
from workerhost.agents.follow import Follower
from workerhost.claude.stream import Stream

SAID = {"type": "assistant", "message": {"id": "m1", "content": [{"type": "text", "text": "Hi"}]}}


def test_line_without_an_end_is_dropped_and_what_follows_is_heard(tmp_path: Path) -> None:
    home = Home(tmp_path / "01")
    home.run.mkdir(parents=True)
    told: list[Event] = []
    follower = Follower(home, Stream(), told.extend)
    longest = 0
    with home.log.open("wb") as log:
        log.write(json.dumps(SAID).encode() + b"\n" + b"x" * (2 * LINE_BYTES))
        log.flush()
        while follower.read():
            longest = max(longest, len(follower._rest))  # what it keeps in memory
        log.write(b"y" * 10 + b"\n" + json.dumps(SAID).encode() + b"\n")
    follower.finish()

    assert [one.text for one in told] == ["Hi", "Hi"]
    assert follower.offset == home.log.stat().st_size
    assert longest <= LINE_BYTES
