"""Which pull requests are drafts until another worker has read them, as a run's end decides it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cw.store.store import Store
from tests.integration.cloning import REPO, Worker, commit
from tests.integration.test_protected_paths import FLOW, Bench
from tests.standins.github import GitHubStandIn


def bench_of(worker: Worker, hub: GitHubStandIn, store: Store, review: str) -> Bench:
    settings = replace(worker.settings, pulls_review=review)
    return Bench(replace(worker, settings=settings), hub, store)


@pytest.fixture
def bench(hub: GitHubStandIn, tmp_path: Path, store: Store) -> Bench:
    return bench_of(Worker.make(tmp_path, hub), hub, store, "worker")


def test_host_opens_a_draft_and_its_record_says_for_what(bench: Bench) -> None:
    commit(bench.place.clone, "src.py")

    outcome = bench.settle()
    again = bench.settle()

    assert bench.pull() == (True, [])
    assert (outcome.drafted, again.drafted) == (True, True)
    assert not bench.hub.requests.matching(operation="Draft")  # it never was anything else


def test_one_that_the_agent_opened_ready_becomes_a_draft(bench: Bench) -> None:
    commit(bench.place.clone, "src.py")
    bench.push()
    bench.hub.add_pull(REPO, bench.spec.branch, "By the agent", author="bot")

    assert bench.settle().drafted
    assert bench.pull() == (True, [])


@pytest.mark.parametrize("draft", [True, False])
@pytest.mark.parametrize("whose", ["a person's", "of before"])
def test_one_that_was_not_opened_by_this_run_stays_as_it_is(
    bench: Bench, whose: str, draft: bool
) -> None:
    commit(bench.place.clone, "src.py")
    bench.push()
    author = "acme" if whose == "a person's" else "bot"
    bench.hub.add_pull(REPO, bench.spec.branch, "There", author=author, draft=draft)
    if whose == "of before":
        bench.started_at += timedelta(hours=1)

    assert not bench.settle().drafted
    assert bench.pull()[0] == draft


def test_protected_paths_keep_it_a_draft_for_a_person(bench: Bench) -> None:
    commit(bench.place.clone, FLOW)

    outcome = bench.settle()

    assert (outcome.drafted, outcome.protected) == (False, (FLOW,))
    assert bench.pull()[0]


def test_switched_off_nothing_is_a_draft(hub: GitHubStandIn, tmp_path: Path, store: Store) -> None:
    bench = bench_of(Worker.make(tmp_path, hub), hub, store, "off")
    commit(bench.place.clone, "src.py")

    assert not bench.settle().drafted
    assert bench.pull() == (False, [])


@pytest.mark.parametrize("opened", ["by the host", "by the agent"])
def test_where_the_plan_has_no_drafts_none_is_read(bench: Bench, opened: str) -> None:
    text = "Draft pull requests are not supported in this repository."
    body = {"message": "Validation Failed", "errors": [{"message": text}]}
    errors = {"errors": [{"type": "UNPROCESSABLE", "message": text}]}
    if opened == "by the host":
        bench.hub.fault(method="POST", path_regex="/pulls$", status=422, body=body)
    bench.hub.fault(method="POST", operation="Draft", status=200, body=errors, times=None)
    commit(bench.place.clone, "src.py")
    if opened == "by the agent":
        bench.push()
        bench.hub.add_pull(REPO, bench.spec.branch, "By the agent", author="bot")

    outcome = bench.settle()

    assert (outcome.reason, outcome.drafted) == ("done", False)
    assert bench.pull() == (False, [])
