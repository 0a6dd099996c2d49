"""A credential that is refused in the middle of the work, and an API that serves nobody for long:
one agent finds out, the others wait, and all of them get their work done.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from cw.states import State
from tests.acceptance.teams import WORKERS, Team, new_gate, running_team
from tests.standins.messages import Turn, closing, error, failing, slow
from tests.standins.messages.scripts import Request
from tests.waiting import wait_until

MINUTE_S = 0.5
PROBES = 6  # in an hour: after 1, 2, 5, 15, 15 and 15 minutes
ANSWER_S = 1.0  # that a refusal takes: two at once would be seen


# Eight claude at once: on a machine that others work on, a test takes several times its minute.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def team() -> Iterator[Team]:
    with running_team({"CW_ACCOUNT_PAUSE": str(MINUTE_S)}) as made:
        yield made


def test_key_that_is_refused_after_a_limit_waits_for_who_mends_it(team: Team) -> None:
    """claude repeats a 401 once since 2.1.330, with the same token."""
    workers = WORKERS[:4]
    account = team.account("revoked", workers)
    account.refusal, work = closing(1, 1), new_gate(account, rounds=1)
    jobs = [job for worker in workers for job in team.dispatch(1, "-w", worker, commits=2)]
    behind = team.dispatch(2, "-w", workers[0])
    wait_until(lambda: len(account.sessions(rounds=1)) == len(workers), 120, team.fleet.logs)
    limited = len(account.refused)
    account.refusal = failing(error(401))
    work.set()
    team.at_rest(jobs)
    met = Counter(one.session for one in account.refused[limited:])
    team.looked_for_work()
    row, waiting, before = team.row("revoked"), team.states(behind), len(account.refused)
    team.fleet.ok("accounts", "--resume", "revoked")
    wait_until(lambda: len(account.refused) > before, 60, team.fleet.logs)
    team.at_rest(jobs)
    team.looked_for_work()
    tried = Counter(one.session for one in account.refused[before:])
    mended = team.account("mended", workers)
    team.all_done([*jobs, *behind])

    a401 = team.claude.differs(old=1, new=2)
    assert {*met} == {team.task(job).session for job in jobs}
    assert all(times in a401 for times in met.values()), met
    assert (row["state"], row["holds"][0]["kind"]) == ("held", "credential")
    assert "mend it" in row["holds"][0]["next"]
    assert waiting == [State.QUEUED] * len(behind)
    assert before == limited + met.total()
    assert len(tried) == 1
    assert all(times in a401 for times in tried.values()), tried
    assert mended.refused == []
    team.assert_delivered([*jobs, *behind])


def test_outage_of_an_hour_is_probed_by_one_agent_at_a_time_and_fails_no_task(team: Team) -> None:
    account = team.account("outage")
    middle = new_gate(account)
    jobs = team.dispatch(len(WORKERS))
    wait_until(lambda: len(account.sessions()) == len(WORKERS), 120, team.fleet.logs)
    running, over = account.sessions(), time.monotonic() + 60 * MINUTE_S
    overloaded = slow(error(529), ANSWER_S)

    def refusal(_request: Request) -> Turn | None:
        return overloaded if time.monotonic() < over else None

    account.refusal = refusal
    middle.set()
    team.all_done(jobs)

    met = [one.session for one in account.refused]
    probes = [one for place, one in enumerate(account.refused) if one.session in met[:place]]
    assert set(met) == set(running)
    assert 0 < len(probes) <= PROBES
    assert all(later.at - one.at > ANSWER_S for one, later in pairwise(probes))
    team.assert_delivered(jobs)
