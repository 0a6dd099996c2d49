"""`python bench/pulls_budget.py`: what following pull requests asks of GitHub in an hour.

20 repositories with 200 open pull requests of tasks, 10 of which move between every two passes, on
the GitHub stand-in of the tests. Points are counted as GitHub's page on GraphQL's limits says: the
requests that a query's connections need, by the hundred, at least one; requests that are answered
with 304 are not counted, as at GitHub. Needs redis-server and git.

`--narrow`: the repositories are private, and the token is a fine-grained one with actions and
commit statuses: read, which GitHub does not tell of checks.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from math import ceil
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.broker import running_broker
from cw.store.store import open_store
from tests.integration.assigning import BOT, TOKEN
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
OF_CHECKS = 3  # of them
NOT_MODIFIED = 304
NARROW = dict.fromkeys(("contents", "issues", "pull_requests"), "write") | dict.fromkeys(
    ("actions", "statuses"), "read"
)


def main() -> None:
    hands = Hands()
    with (
        running_broker() as (folder, url),
        GitHubStandIn(folder / "hub", clock=hands.now) as hub,
    ):
        narrow = "--narrow" in sys.argv[1:]
        for repo in REPOS:
            hub.add_repo(repo, private=narrow)
        measure(Road.open(hub, open_store(url, KEYRING), hands, REPOS), narrow=narrow)


def measure(road: Road, *, narrow: bool) -> None:
    connections = CONNECTIONS - OF_CHECKS * narrow
    pulls = [(repo, road.pull(repo)) for repo in REPOS for _ in range(EACH)]
    for repo, number in pulls:
        road.hub.check(repo, road.branch(number, repo), "test", "success")
    if narrow:
        road.hub.add_token(BOT, TOKEN, grants=NARROW)
    print(f"{len(pulls)} open pull requests in {len(REPOS)} repositories, {MOVING} moving")
    tell("first pass", *spent(road, connections))
    road.follow(timedelta(hours=2))  # they lie for a while
    requests = points = 0
    for at in range(PASSES):
        for repo, number in pulls[:MOVING]:
            ended = "success" if at % 2 else None
            road.hub.check(repo, road.branch(number, repo), "test", ended)
        of_pass = spent(road, connections)
        requests, points = requests + of_pass[0], points + of_pass[1]
    tell("a pass of that hour, on average", requests / PASSES, points / PASSES)
    tell("an hour", requests, points)
    print(
        f"of {HOURLY} an hour: {requests / HOURLY:.1%} as requests, {points / HOURLY:.1%} as points"
    )
    assert max(requests, points) < HOURLY / 8


def spent(road: Road, connections: int) -> tuple[int, int]:
    road.hub.requests.clear()
    done = road.follow(EVERY)
    assert not done.warnings
    assert not done.stopped
    mine = [one for one in road.hub.requests if one.login == BOT and one.status != NOT_MODIFIED]
    queries = sum(one.path == "/graphql" for one in mine)
    of_looks = ceil(done.wholly / LOOKS_IN_A_QUERY)
    points = max(of_looks, round(done.wholly * connections / 100))
    return len(mine), queries - of_looks + points


def tell(what: str, requests: float, points: float) -> None:
    print(f"{what:34} {requests:6.1f} requests  {points:6.1f} points")


if __name__ == "__main__":
    main()
