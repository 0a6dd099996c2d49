"""The cable between a host and its broker is pulled out, for longer than a lease."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from cw.states import OutcomeKind, State
from tests.integration.hosting import machine
from tests.integration.netns import cable
from tests.integration.test_split_brain import completed, lives, one_at_a_time, under_way
from tests.needs import need
from tests.waiting import wait_until

TTL = 4.0
LEASE = {"CW_LEASE_TTL": str(TTL), "CW_LEASE_RENEW": "0.5", "CW_LEASE_MARGIN": "2"}


def test_host_whose_cable_is_cut_ends_its_run_before_the_lease_and_goes_on_when_it_is_mended(
    git_repo: Path,
) -> None:
    with cable() as wire, machine(git_repo, **LEASE) as here:
        far = here.folder / "far"
        link = f"TCP-LISTEN:0,bind={wire.here},fork"
        with subprocess.Popen(
            [need("socat"), "-d", "-d", link, f"UNIX-CONNECT:{here.folder / 's'}"],
            stderr=subprocess.PIPE,
            text=True,
        ) as near:
            try:
                assert near.stderr
                port = next(line for line in near.stderr if "listening" in line).split(":")[-1]
                there = ["socat", f"UNIX-LISTEN:{far},fork", f"TCP:{wire.here}:{port.strip()}"]
                subprocess.Popen([*wire.inside, *there])
                wait_until(far.exists, what="the far end of the cable")
                here.more["CW_BROKER_URL"] = f"unix://{far}"
                here.start(wire.inside)
                spec = here.dispatch("rehearse: pace 0.05\nrehearse: slow 60 once\n")
                under_way(here, spec)

                cut_at = time.time()
                wire.cut()
                wait_until(lambda: len(here.agents("end")) == 1, 40, here.log)
                wait_until(lambda: here.sweep().expired, 40, "the lease's end")
                wire.heal()
                wait_until(lambda: here.task(spec).hinted_at, 40, here.log)
                task = here.reaches(spec, State.DONE, 90)
            finally:
                near.kill()

        assert task.outcome
        assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome
        assert lives(here)[0][1] < cut_at + TTL
        first, second = here.agents()
        assert first["session"] == second["session"]
        assert one_at_a_time(here)
        assert completed(here) == 1
