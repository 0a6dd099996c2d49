"""`python bench/assign_budget.py`: what passes of assign and reconcile ask of GitHub.

20 repositories with 1,000 open issues, spread so that they need the most pages, on the GitHub
stand-in of the tests. Needs redis-server and git.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.broker import running_broker
from cw.store.store import open_store
from tests.integration.assigning import BOT, Office, big_hub
from tests.making import KEYRING
from tests.standins.github import GitHubStandIn


def main() -> None:
    with (
        running_broker() as (folder, url),
        GitHubStandIn(folder / "hub", clock=a_minute_ago) as hub,
    ):
        measure(hub, url)


def a_minute_ago() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


def measure(hub: GitHubStandIn, url: str) -> None:
    expected = big_hub(hub, skewed=True)
    office = Office.open(hub, open_store(url, KEYRING), sorted({repo for repo, _ in expected}))
    print(f"{len(expected)} open issues in {len(office.settings.assign_repos)} repositories")
    count(hub, "first pass, nobody idle", office.assign)
    count(hub, "second pass, nothing changed", office.assign)
    count(hub, "dry run, asks about strangers", lambda: office.assign(dry_run=True))
    while any(one.verdict.value == "unknown" for one in office.assign(dry_run=True).rows):
        pass
    count(hub, "dry run, all answered before", lambda: office.assign(dry_run=True))
    office.staff(*(f"{one:02}" for one in range(1, 11)))
    count(hub, "10 dispatches to new workers", office.assign)
    count(hub, "pass after them", office.assign)
    count(hub, "first reconcile", office.reconcile)
    count(hub, "second reconcile, nothing changed", office.reconcile)


def count(hub: GitHubStandIn, name: str, call: Callable[[], object]) -> None:
    hub.requests.clear()
    began = time.perf_counter()
    call()
    took = time.perf_counter() - began
    mine = [one for one in hub.requests if one.login == BOT]
    graphql = sum(one.path == "/graphql" for one in mine)
    kinds = Counter(
        "unchanged" if one.status == 304 else "writes" if one.method != "GET" else "reads"
        for one in mine
        if one.path != "/graphql"
    )
    print(
        f"{name:36} {kinds['reads']:4} reads  {kinds['writes']:4} writes"
        f"  {kinds['unchanged']:4} unchanged (free)  {graphql:3} graphql  {took:5.1f} s"
    )


if __name__ == "__main__":
    main()
