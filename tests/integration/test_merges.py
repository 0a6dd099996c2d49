"""A host clears what merges left at its workers: those alone that its forge calls merged, each
once, and none while a task may want it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cw.homes import journal
from cw.homes.journal import Run
from cw.pulls.record import PullRecord
from cw.pulls.states import PullMove
from cw.redaction.redact import Redactor
from cw.states import OutcomeKind
from cw.store.lease_values import Grant
from tests.integration.hosting import Machine, machine
from tests.making import make_journal, make_outcome, make_spec
from tests.repairs import make_repair
from tests.standins.github import GitHubStandIn
from tests.unit.pulling import make_record
from tests.waiting import wait_until
from workerhost.claude.runner import CLAUDE

REPO = "acme/app"


@dataclass
class Place:
    """A machine, and GitHub."""

    here: Machine
    hub: GitHubStandIn

    def pull(self, *workers: str) -> PullRecord:
        """A pull request that is open at GitHub, and merged as the broker says. The second worker
        had a repair of it that failed.
        """
        issue = self.hub.add_issue(REPO, "Fix it")
        head = self.hub.add_commit(REPO, f"issue-{issue}", {f"{issue}.txt": "x\n"})
        number = self.hub.add_pull(REPO, f"issue-{issue}", "Fix it", author="bot")
        url = f"https://github.localhost/{REPO}/pull/{number}"
        spec = make_spec(repo=REPO, repo_id=self.hub.state.repo(REPO).id, issue=issue)
        for worker in workers:
            run = Run(
                worker=worker,
                host="here",
                attempt=1,
                fence=7,
                session=f"session-of-{worker}-{number}",
                started_at=datetime.now(UTC),
                clone=str(self.here.home(worker).clones / REPO),
                base="main",
            )
            done = make_outcome(OutcomeKind.SUCCEEDED, pr=url, head=head, pushed=True)
            task = spec
            if worker != workers[0]:
                repair = make_repair(number=number, url=url, branch=f"issue-{issue}", head=head)
                task = make_spec(repo=REPO, repo_id=spec.repo_id, issue=issue, repair=repair)
                done = make_outcome(OutcomeKind.FAILED)
            book = make_journal(phase="settled", task=task, run=run, outcome=done)
            self.transcript(worker, number).parent.mkdir(parents=True, exist_ok=True)
            self.transcript(worker, number).write_text("{}\n", "utf-8")
            journal.archive(self.here.home(worker), book, Redactor())
        record = make_record(
            number=number,
            repo_id=spec.repo_id,
            issue=issue,
            url=url,
            task=spec.id,
            worker=workers[0],
            workers=workers,
        )
        self.here.store().pulls.begin(record)
        return self.moved(record, PullMove.MERGE)

    def moved(self, record: PullRecord, move: PullMove) -> PullRecord:
        read = self.read(record)
        assert self.here.store().pulls.move(read, move, None)
        return self.read(record)

    def read(self, record: PullRecord) -> PullRecord:
        found = self.here.store().pulls.get(record.key)
        assert found
        return found

    def transcript(self, worker: str, number: int) -> Path:
        home = self.here.home(worker)
        session = f"session-of-{worker}-{number}"
        return CLAUDE.conversation(home, home.clones / REPO, session)[0]

    def cleared(self, record: PullRecord) -> dict[str, str]:
        return wait_until(lambda: self.read(record).cleared, 60, self.here.log)


@pytest.fixture
def place(git_repo: Path, hub: GitHubStandIn) -> Iterator[Place]:
    more = {
        "CW_GITHUB_API_URL": hub.api_url,
        "CW_GITHUB_URL": hub.base_url,
        "GH_TOKEN": "bot-token",
        "CW_GITHUB_PACE": "0",
    }
    with machine(git_repo, **more) as here:
        here.add_worker("02")
        yield Place(here, hub)


def test_merge_is_cleared_at_each_worker_that_had_a_task_of_it(place: Place) -> None:
    before = place.pull("01")  # which was merged while no host was there
    place.hub.merge_pull(REPO, before.number)
    place.here.start()
    assert place.cleared(before) == {"01": ""}
    later = place.pull("01", "02")
    place.hub.merge_pull(REPO, later.number)
    asked = len(place.hub.requests.matching("POST", "/graphql$"))

    wait_until(lambda: len(place.read(later).cleared) == 2, 60, place.here.log)

    assert place.read(later).cleared == {"01": "", "02": ""}
    assert len(place.hub.requests.matching("POST", "/graphql$")) == asked + 2
    for worker, number in (("01", before.number), ("01", later.number), ("02", later.number)):
        assert not place.transcript(worker, number).exists()
    packed = [len(list(place.here.home(one).completed.glob("*.session.*"))) for one in ("01", "02")]
    assert packed == [2, 1]


def test_broker_s_word_that_it_is_merged_is_not_enough(place: Place) -> None:
    said, closed = place.pull("01"), place.pull("01")
    place.hub.close_issue(REPO, closed.number)
    true = place.pull("01")
    place.hub.merge_pull(REPO, true.number)

    place.here.start()

    assert place.cleared(true) == {"01": ""}
    wait_until(lambda: place.here.log().count("not merged, as its forge says") == 2, 60)
    for record in (said, closed):
        assert place.read(record).cleared == {}
        assert place.transcript("01", record.number).exists()


def test_what_a_task_may_want_waits_for_its_end(place: Place) -> None:
    """One that has the issue again, one that the worker is kept for."""
    wanted, kept, free = place.pull("01"), place.pull("02"), place.pull("01")
    for record in (wanted, kept, free):
        place.hub.merge_pull(REPO, record.number)
    store = place.here.store()
    again = make_spec(repo=REPO, repo_id=wanted.repo_id, issue=wanted.issue, wanted_worker="03")
    store.tasks.create(again, "")
    held = make_spec(repo="acme/other", issue=1, wanted_worker="02")
    store.tasks.create(held, "")
    grant = store.tasks.acquire(held.id, worker="02", host="gone", ttl=600, session="s")
    assert isinstance(grant, Grant)

    place.here.start()

    assert place.cleared(free) == {"01": ""}
    assert place.transcript("01", wanted.number).exists()
    assert place.transcript("02", kept.number).exists()
    assert (place.read(wanted).cleared, place.read(kept).cleared) == ({}, {})


def test_github_that_is_away_is_asked_again(place: Place) -> None:
    record = place.pull("01")
    place.hub.merge_pull(REPO, record.number)
    fault = place.hub.fault(operation="Watch", times=20)

    place.here.start()
    wait_until(lambda: "merge not cleared" in place.here.log(), 60, place.here.log)
    place.hub.clear_faults()

    assert place.cleared(record) == {"01": ""}
    assert fault.hits
