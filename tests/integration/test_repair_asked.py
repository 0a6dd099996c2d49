"""What GitHub is asked for a repair when a run of it starts, and when there is nothing to begin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cw.errors import BadInputError, NothingLeftError
from cw.github.client import GitHub
from cw.models import TaskSpec
from cw.pulls.record import Cause
from cw.store.store import Store
from tests.integration.conftest import REPO
from tests.making import make_spec
from tests.repairs import make_repair
from tests.standins.github import GitHubStandIn
from workerhost.prompts.repairing import Mending
from workerhost.runs.mending import ask

BRANCH = "issue-22"


@dataclass(frozen=True)
class Asked:
    hub: GitHubStandIn
    github: GitHub
    store: Store
    head: str
    number: int

    def spec(self, cause: Cause, **changed: Any) -> TaskSpec:
        url = f"https://github.com/{REPO}/pull/{self.number}"
        whole: dict[str, Any] = {"number": self.number, "url": url, "head": self.head}
        return make_spec(repair=make_repair(cause, **(whole | changed)))

    def ask(self, cause: Cause, *, first: bool = True, **changed: Any) -> Mending:
        return ask(self.github, self.store.github, self.spec(cause, **changed), first=first)

    def thread(self, body: str, author: str) -> str:
        self.hub.start_thread(REPO, self.number, body, author=author, path="app.py", line=1)
        return self.github.threads(REPO, self.number).threads[-1].id


@pytest.fixture
def asked(hub: GitHubStandIn, store: Store) -> Asked:
    head = hub.add_commit(REPO, BRANCH, {"app.py": "one\n"})
    number = hub.add_pull(REPO, BRANCH, "Fix it", author="bot")
    return Asked(hub, GitHub(hub.api_url, "bot-token", pace=0), store, head, number)


def test_red_checks_of_the_head_are_found_by_their_names(asked: Asked) -> None:
    asked.hub.check(REPO, BRANCH, "test", "failure", log="Error: no\n")
    asked.hub.check(REPO, BRANCH, "lint", "failure")

    found = asked.ask(Cause.CHECKS, checks=("CI / test",))

    assert [(one.name, one.log) for one in found.failures] == [("CI / test", "Error: no")]


def test_threads_and_reviews_of_writers_are_found(asked: Asked) -> None:
    first = asked.thread("Why?", "owner")
    asked.thread("A later one", "owner")
    asked.hub.review(REPO, asked.number, "owner", "CHANGES_REQUESTED", "Split it.")

    found = asked.ask(Cause.REVIEW, threads=("gone", first))

    assert found.numbers == (2,)
    assert [one.body for one in found.review.changes] == ["Split it."]


def test_findings_of_a_worker_are_something_to_mend_without_any_remark(asked: Asked) -> None:
    found = asked.ask(Cause.REVIEW, threads=(), findings="It is slow.")

    assert (found.findings, found.numbers) == ("It is slow.", (1,))


def _green(asked: Asked) -> str:
    asked.hub.check(REPO, BRANCH, "test", "success")
    return ""


def _resolved(asked: Asked) -> str:
    thread = asked.thread("Why?", "owner")
    asked.github.resolve(REPO, thread)
    return thread


def _a_helper_s(asked: Asked) -> str:
    return asked.thread("Why?", "helper")


@pytest.mark.parametrize(
    ("cause", "made", "words"),
    [
        (Cause.CHECKS, _green, "none of its checks is red any more"),
        (Cause.REVIEW, _resolved, "ask for nothing any more"),
        (Cause.REVIEW, _a_helper_s, "ask for nothing any more"),
    ],
)
def test_what_is_mended_begins_nothing_and_stops_nothing_that_began(
    asked: Asked, cause: Cause, made: Callable[[Asked], str], words: str
) -> None:
    given: dict[str, Any] = {"threads": (made(asked),)} if cause is Cause.REVIEW else {}

    with pytest.raises(NothingLeftError, match=words):
        asked.ask(cause, **given)
    later = asked.ask(cause, first=False, **given)

    assert later.failures == ()
    assert later.numbers == ()


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("end", ["closed", "merged"])
def test_pull_request_that_is_over_is_mended_no_more(asked: Asked, end: str, first: bool) -> None:
    if end == "closed":
        asked.hub.close_issue(REPO, asked.number)
    else:
        asked.hub.merge_pull(REPO, asked.number)

    with pytest.raises(NothingLeftError, match=f"was {end} before it could be mended"):
        asked.ask(Cause.CONFLICT, first=first)


def test_cause_of_a_later_cw_is_refused_in_words(asked: Asked) -> None:
    later = asked.spec(Cause.CHECKS)
    assert later.repair
    spec = later.model_copy(update={"repair": later.repair.model_copy(update={"cause": "typos"})})

    with pytest.raises(BadInputError, match="mends no typos"):
        ask(asked.github, asked.store.github, spec, first=True)


def test_other_tasks_ask_nothing(asked: Asked) -> None:
    assert ask(asked.github, asked.store.github, make_spec(), first=True) == Mending()
