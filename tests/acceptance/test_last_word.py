"""An agent that has said its last word is done: whatever stands around it or goes on after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from cw.models import Outcome
from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import REHEARSAL, Fleet
from tests.contract.binaries import found as claudes
from tests.needs import need, require
from tests.standins.messages import bash, text
from tests.waiting import wait_until
from tests.walls import WALLS
from workerhost.agents.follow import WAITS

REPO = "acme/app"
WORKERS = [f"{number:02d}" for number in range(1, 5)]  # so many wait at the same time
REST = 4  # seconds; shorter than what lingers, longer than what ends by itself
LIMITS = {"CW_RUN_REST": str(REST), "CW_STOP_GRACE": "1", "CW_RUN_MEMORY_MB": "400"}
LONG = 3600


@pytest.fixture(scope="module")
def quick() -> Iterator[Fleet]:
    """What is left running is ended soon."""
    with running_fleet(REHEARSAL, LIMITS, https=True) as one:
        one.ok("init", f"{WORKERS[2]}..{WORKERS[-1]}")
        yield one


@pytest.fixture(scope="module")
def once(quick: Fleet) -> Outcome:
    """Of an agent that says one last word."""
    done = quick.finished(dispatched(quick, "rehearse: commit-only"))["outcome"]
    return Outcome.model_validate(done)


@pytest.fixture(scope="module")
def limited() -> Iterator[Fleet]:
    """With limits that are shorter than what is left running may go on."""
    short = {"CW_RUN_REST": "12", "CW_RUN_SILENCE_LIMIT": "8", "CW_RUN_TIME_LIMIT": "10"}
    with running_fleet(REHEARSAL, {**LIMITS, **short}) as one:
        one.ok("init", f"{WORKERS[2]}..{WORKERS[-1]}")
        yield one


def dispatched(fleet: Fleet, agent: str) -> str:
    body = f"rehearse: pace 0.01\n{agent}\n"
    number = fleet.github.add_issue(REPO, "Change it", body)
    return str(fleet.json("dispatch", "-r", REPO, "-i", str(number))["task"])


def all_dispatched(fleet: Fleet, agents: Iterable[str]) -> dict[str, str]:
    """Agent to task: they wait together."""
    return {one: dispatched(fleet, one) for one in agents}


@dataclass(frozen=True)
class Sample:
    """`last`: rehearsed words around the last one. `report` is part of what is kept of it."""

    last: str
    end: tuple[str, str] = ("succeeded", "done")
    commits: int = 1
    report: str = "Committed a small change"
    sums: int = 1  # result lines whose cost and turns are added up


SAMPLES = {
    # as people report them
    "a dev server is left": Sample(f"linger {LONG}"),
    "20 MB of report": Sample("long 20", report="long long"),
    "a terminal's codes": Sample("codes"),
    "exit code 1 after success": Sample("status 1"),
    "two result lines": Sample("twice", sums=2),
    # more of the kind
    "the remains of another line before it": Sample("remains"),
    "2 MB of noise before it": Sample("noise"),
    "noise before a long one": Sample("noise long 3", report="long long"),
    "codes around a long one": Sample("codes long 3", report="long long"),
    "spaces": Sample("spaces"),
    "a carriage return": Sample("carriage"),
    "words behind it": Sample("tail"),
    "no newline": Sample("open"),
    "no newline after a long one": Sample("open long 3", report="long long"),
    "two of which the first says more": Sample("twice short", report="some length", sums=2),
    "an error after it": Sample("fails", sums=2),
    "exit code 137": Sample("status 137"),
    "memory is taken after it": Sample(f"takes 600 linger {LONG}"),
    "what is left does not listen to signals": Sample(f"deaf linger {LONG}"),
    "work that ends by itself in time": Sample("commits 1", commits=2),
    "work that would take too long": Sample(f"commits {LONG}"),
    "codes, then a server": Sample(f"codes linger {LONG}"),
}


@pytest.fixture(scope="module")
def said(quick: Fleet) -> dict[str, str]:
    return all_dispatched(quick, {f"rehearse: last {one.last}" for one in SAMPLES.values()})


@pytest.mark.parametrize("name", SAMPLES)
def test_last_word_comes_before_all_that_follows(
    quick: Fleet, once: Outcome, said: dict[str, str], name: str
) -> None:
    sample = SAMPLES[name]
    row = quick.finished(said[f"rehearse: last {sample.last}"], 110)

    end = row["outcome"]
    assert (end["kind"], end["reason"]) == sample.end, (end, quick.logs())
    assert (end["commits"], end["pushed"]) == (sample.commits, True)
    assert sample.report in end["report"]
    assert end["turns"] == sample.sums * once.turns
    assert end["cost_usd"] == pytest.approx(sample.sums * once.cost_usd)


AFTER = [f"linger {LONG}", f"deaf linger {LONG}", f"codes linger {LONG}", "commits 9"]
BEFORE = {"hang": "stalled", "slow 60": "time_limit"}


@pytest.fixture(scope="module")
def over(limited: Fleet) -> dict[str, str]:
    agents = [*(f"rehearse: last {one}" for one in AFTER), *(f"rehearse: {one}" for one in BEFORE)]
    return all_dispatched(limited, agents)


@pytest.mark.parametrize("last", AFTER)
def test_limits_that_pass_after_it_are_no_failure(
    limited: Fleet, over: dict[str, str], last: str
) -> None:
    end = limited.finished(over[f"rehearse: last {last}"], 100)["outcome"]

    assert (end["kind"], end["reason"], end["pushed"]) == ("succeeded", "done", True), end


@pytest.mark.parametrize("agent", BEFORE)
def test_limits_that_pass_before_it_are(limited: Fleet, over: dict[str, str], agent: str) -> None:
    end = limited.finished(over[f"rehearse: {agent}"], 100)["outcome"]

    assert (end["kind"], end["reason"]) == ("failed", BEFORE[agent])


def test_status_says_what_is_waited_for(limited: Fleet) -> None:
    task = dispatched(limited, f"rehearse: last linger {LONG}")

    def now() -> str:
        rows = limited.json("status")["workers"]
        return next(
            (one["last"] or "" for one in rows if (one["about"] or {}).get("task") == task), ""
        )

    wait_until(lambda: now() == WAITS, 60, lambda: f"{now()}\n{limited.logs()}")
    assert WAITS in limited.ok("status")
    limited.finished(task)


@pytest.fixture(scope="module")
def real() -> Iterator[Fleet]:
    binaries = claudes()
    require(binaries, "a claude binary")
    require(WALLS, "bubblewrap and socat that work")
    need("gh")
    settings = {"CW_RUN_REST": "6", "CW_RUN_SILENCE_LIMIT": "45"}
    with running_fleet(binaries[-1].path, settings) as one:
        one.ok("init", WORKERS[2])
        yield one


LEFT = ["python3 -m http.server 0", "sleep 3600", "trap '' INT TERM; sleep 3600"]


@pytest.fixture(scope="module")
def left(real: Fleet) -> dict[str, str]:
    """What claude leaves, and the task: they are silent together."""
    tasks = {}
    for one in LEFT:
        number = real.github.add_issue(REPO, "Serve it", "Please.")
        change = f"echo x > served-{number}.txt && git add -A && git commit -qm served"
        turns = (bash(change), bash(one, background=True), text("It is served."))
        real.api.script(*turns, match=f"issue-{number}")
        tasks[one] = str(real.json("dispatch", "-r", REPO, "-i", str(number))["task"])
    return tasks


@pytest.mark.parametrize("one", LEFT)
def test_server_that_claude_leaves_running_holds_nothing_up(
    real: Fleet, left: dict[str, str], one: str
) -> None:
    end = real.finished(left[one], 110)["outcome"]  # claude itself would wait for 600

    assert (end["kind"], end["commits"]) == ("succeeded", 1), (end, real.logs())
    assert "It is served." in end["report"]
