"""`python bench/pulls_budget.py`: what following pull requests asks of GitHub in an hour.

20 repositories with 200 open pull requests of tasks, 10 of which move between every two passes, on
the GitHub stand-in of the tests. Points are counted as GitHub's page on GraphQL's limits says: the
requests that a query's connections need, by the hundred, at least one. Needs redis-server and git.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from math import ceil
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.broker import running_broker
from cw.store.store import open_store
from tests.integration.assigning import BOT
from tests.integration.following import EVERY, Hands, Road
from tests.making import KEYRING
from tests.standins.github import GitHubStandIn

REPOS = [f"acme/r{at:02}" for at in range(20)]
EACH = 10
MOVING = 10
PASSES = 30  # an hour of them
HOURLY = 5000
LOOKS_IN_A_QUERY = 20
CONNECTIONS = 39  # of a look: 8 of the pull request, 1 of its base, and 30 threads' comments


def main() -> None:
    hands = Hands()
    with (
        running_broker() as (folder, url),
        GitHubStandIn(folder / "hub", clock=hands.now) as hub,
    ):
        measure(Road.open(hub, open_store(url, KEYRING), hands, REPOS))


def measure(road: Road) -> None:
    pulls = [(repo, road.pull(repo)) for repo in REPOS for _ in range(EACH)]
    for repo, number in pulls:
        road.hub.check(repo, road.branch(number, repo), "test", "success")
    print(f"{len(pulls)} open pull requests in {len(REPOS)} repositories, {MOVING} moving")
    tell("first pass", *spent(road))
    road.follow(timedelta(hours=2))  # they lie for a while
    requests = points = 0
    for at in range(PASSES):
        for repo, number in pulls[:MOVING]:
            ended = "success" if at % 2 else None
            road.hub.check(repo, road.branch(number, repo), "test", ended)
        of_pass = spent(road)
        requests, points = requests + of_pass[0], points + of_pass[1]
    tell("a pass of that hour, on average", requests / PASSES, points / PASSES)
    tell("an hour", requests, points)
    print(
        f"of {HOURLY} an hour: {requests / HOURLY:.1%} as requests, {points / HOURLY:.1%} as points"
    )
    assert max(requests, points) < HOURLY / 10


def spent(road: Road) -> tuple[int, int]:
    road.hub.requests.clear()
    done = road.follow(EVERY)
    assert not done.warnings
    assert not done.stopped
    mine = sum(one.login == BOT for one in road.hub.requests)
    of_looks = ceil(done.wholly / LOOKS_IN_A_QUERY)
    return mine, mine - of_looks + max(of_looks, round(done.wholly * CONNECTIONS / 100))


def tell(what: str, requests: float, points: float) -> None:
    print(f"{what:34} {requests:6.1f} requests  {points:6.1f} points")


if __name__ == "__main__":
    main()
