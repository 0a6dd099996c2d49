"""Which issues count as created by an agent: GitHub says by whom and when, its log says which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cw.github.client import GitHub
from cw.homes.files import write_private
from cw.redaction.redact import Redactor
from cw.states import Mode
from tests.integration.cloning import REPO, Worker
from tests.making import make_journal
from tests.standins.github import GitHubStandIn
from workerhost.programs.progress import Progress
from workerhost.settling.created_issues import created_issues
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.verdict import FINISHED, Evidence

EVIDENCE = Evidence(commits=0, dirty=False, head="", remote_head=None, mode=Mode.ISSUE)


@pytest.fixture
def worker(hub: GitHubStandIn, tmp_path: Path) -> Worker:
    """Its own token is the bot's."""
    return Worker.make(tmp_path, hub)


def found(
    worker: Worker, *named: int, host: str = "bot", began: timedelta = timedelta(minutes=-1)
) -> Evidence:
    """`began`: against now. `host`: whose token the host has."""
    assert worker.hub
    links = " ".join(f"{worker.hub.base_url}/{REPO}/issues/{one}" for one in named)
    write_private(worker.home.log, f'{{"said": "{links}"}}\n'.encode())
    run = make_journal().run.model_copy(
        update={"started_at": datetime.now(UTC) + began, "attempt": 1}
    )
    task = worker.spec(issue=None, mode=Mode.ISSUE)
    ended = EndedRun(
        task=task,
        run=run,
        github=GitHub(worker.hub.api_url, f"{host}-token", pace=0),
        process=FINISHED,
        progress=Progress(),
        now=datetime.now(UTC),
        defer=timedelta(minutes=10),
        redact=Redactor(),
    )
    return created_issues(ended, EVIDENCE, worker.home)


def test_issue_of_somebody_else_does_not_count_though_the_log_links_it(
    worker: Worker, hub: GitHubStandIn
) -> None:
    others = hub.add_issue(REPO, "Made meanwhile", author="helper")
    mine = hub.add_issue(REPO, "Made by the agent", author="bot")
    pull = 4711  # nobody has it

    assert [one.rpartition("/")[2] for one in found(worker, others, mine, pull).issues] == [
        str(mine)
    ]
    assert found(worker, others).issues == ()


def test_issue_of_before_the_run_does_not_count(worker: Worker, hub: GitHubStandIn) -> None:
    old = hub.add_issue(REPO, "Mine, of yesterday", author="bot")

    assert found(worker, old, began=timedelta(minutes=1)).issues == ()


def test_account_is_that_of_the_worker_where_the_host_has_another(
    worker: Worker, hub: GitHubStandIn
) -> None:
    agents = hub.add_issue(REPO, "By the agent", author="bot")
    hosts = hub.add_issue(REPO, "By the host's account", author="helper")

    seen = found(worker, agents, hosts, host="helper")

    assert [one.rpartition("/")[2] for one in seen.issues] == [str(agents)]


def test_github_that_is_away_is_asked_again_later(worker: Worker, hub: GitHubStandIn) -> None:
    mine = hub.add_issue(REPO, "Made by the agent", author="bot")
    hub.fault(path_regex="/graphql", status=503, times=None)

    assert found(worker, mine).pull_away
