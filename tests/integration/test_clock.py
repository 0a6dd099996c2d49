"""The host's clock is set forward and back by an hour while it has a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from cw.states import OutcomeKind, State
from tests.integration.hosting import machine
from tests.integration.test_split_brain import under_way
from tests.needs import require
from tests.waiting import wait_until

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
LEASE = {"CW_LEASE_TTL": "6", "CW_LEASE_RENEW": "0.5", "CW_LEASE_MARGIN": "3"}


@pytest.mark.parametrize("jump", ["+1h", "-1h"])
def test_clock_that_jumps_under_a_run_changes_nothing(git_repo: Path, jump: str) -> None:
    require(LIBRARY, "libfaketime (apt: faketime)")
    with machine(git_repo, **LEASE) as here:
        clock = here.folder / "clock"
        clock.write_text("+0\n", "utf-8")
        here.more |= {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        here.start()
        spec = here.dispatch("rehearse: pace 0.05\nrehearse: slow 8\n")
        under_way(here, spec)
        before = here.task(spec).lease_until
        assert before

        clock.write_text(f"{jump}\n", "utf-8")
        wait_until(lambda: (here.task(spec).lease_until or before) > before, 40, here.log)
        swept = here.sweep()
        task = here.reaches(spec, State.DONE)

        assert (swept.expired, swept.hinted, task.attempt, task.losses) == ((), (), 1, 0)
        assert task.outcome
        assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome
        assert len(here.agents()) == 1
        assert jump_seen(here.log())


def jump_seen(log: str) -> bool:
    """Whether the lines of the host's log have two different hours: the clock did jump."""
    return len({line[11:13] for line in log.splitlines() if line[:2] == "20"}) > 1
