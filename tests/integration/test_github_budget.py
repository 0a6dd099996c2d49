"""What GitHub says of a token's requests reaches the records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cw.settings import load_settings
from cw.store.github_cache import Budget
from cw.store.store import Store
from tests.standins.github import GitHubStandIn
from workerhost.github.clients import Clients
from workerhost.github.token_access import Access


def test_budget_of_a_token_is_what_the_last_answer_said(hub: GitHubStandIn, store: Store) -> None:
    number = hub.add_issue("acme/app", "Fix it", "please")
    settings = replace(load_settings({})[0], github_api_url=hub.api_url, github_token="bot-token")
    clients = Clients(settings, Access(settings), {})
    github = clients.of("")
    assert github
    clients.tell_budgets(store.github)
    assert store.github.budgets() == {}

    for _ in range(2):
        github.issue("acme/app", number)
        clients.tell_budgets(store.github)
    ((token, found),) = store.github.budgets().items()

    assert token == github.token_mark
    assert (found.left, found.limit) == (4998, 5000)
    assert found.left_at(datetime.now(UTC)) == found.left
    assert found.left_at(datetime.fromtimestamp(found.resets_at, UTC)) == found.limit


def test_budget_is_whole_again_after_its_hour() -> None:
    now = datetime(2031, 5, 6, tzinfo=UTC)
    budget = Budget(left=3, limit=5000, resets_at=int(now.timestamp()))

    assert budget.left_at(now - timedelta(seconds=1)) == 3
    assert budget.left_at(now) == 5000
