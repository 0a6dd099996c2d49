"""GitHub writes that cannot be delivered: one issue's trouble is no other's; people are told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cw.fleet_models import Host, Worker
from cw.github.client import GitHub
from cw.keyring import make_keyring
from cw.operations.rest.writes import on_outcome
from cw.store.outbox import Effect
from cw.store.store import Store, open_store
from tests.integration.conftest import REPO
from tests.making import give_key, make_outcome, make_spec
from tests.standins.github import GitHubStandIn
from workerhost.github.backoff import Backoff
from workerhost.github.delivered_writes import Delivered
from workerhost.github.outbox_delivery import Deliverer

HOUR = 3600.0
PAGE = b"<html>You have been logged out</html>"
HTML = {"Content-Type": "text/html"}
Cw = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass
class Desk:
    """A host's outbox, and a clock that a test moves."""

    store: Store
    hub: GitHubStandIn
    folder: Path
    now: float = 0.0
    deliverer: Deliverer = field(init=False)

    def __post_init__(self) -> None:
        github = GitHub(self.hub.api_url, "bot-token", pace=0)
        memory = Delivered(self.folder / "delivered" / "here.txt")
        backoff = Backoff(lambda: self.now)
        self.deliverer = Deliverer(
            self.store.outbox, "here", memory, lambda _: github, backoff=backoff
        )

    def add(self, issue: int, *texts: str, repo: str = REPO, kind: str = "comment") -> None:
        rows = [
            {"kind": kind, "repo": repo, "issue": issue, "worker": "01", "text": one, "mark": one}
            for one in texts
        ]
        self.store.outbox.add("here", [Effect.model_validate(one) for one in rows])

    def passes(self, hours: float) -> None:
        """As a host does them, every few seconds; its clock goes faster here."""
        until = self.now + hours * HOUR
        while self.now < until and self.store.outbox.length("here"):
            self.deliverer.deliver()
            self.now += 600

    def texts(self, issue: int) -> list[str]:
        return [one.body.split("\n")[0] for one in self.hub.issue(REPO, issue).comments]

    def reasons(self) -> list[str]:
        return [one.reason for one in self.store.outbox.aside("here")]


@pytest.fixture
def desk(redis_url: str, hub: GitHubStandIn, tmp_path: Path) -> Desk:
    key = Path(give_key(tmp_path)).read_text("ascii").strip()
    store = open_store(redis_url, make_keyring([key]))
    store.fleet.beat(Host(name="here"), store.tasks.now())
    return Desk(store, hub, tmp_path)


ODD = {
    "a page with 200": {"status": 200, "body": PAGE, "headers": HTML},
    "a page with 403": {"status": 403, "body": PAGE, "headers": HTML},
    "a page with 500": {"method": "POST", "status": 500, "body": PAGE, "headers": HTML},
    "nothing with 200": {"status": 200, "body": b""},
    "null with 200": {"status": 200, "body": b"null"},
    "a number with 200": {"status": 200, "body": 7},
    "a list of numbers": {"status": 200, "body": [1, 2]},
    "an object in the place of a list": {"status": 200, "body": {"message": "moved"}},
    "half an answer": {"status": 200, "body": b'[{"id": 1, "bo'},
    "307 without a place": {"status": 307, "body": {"message": "Temporary Redirect"}},
    "no answer": {"method": "POST", "drop": True},
    "502 for ever": {"method": "POST", "status": 502},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_answer_of_odd_shape_holds_up_its_own_issue_only_and_not_for_ever(
    desk: Desk, hub: GitHubStandIn, odd: dict[str, Any]
) -> None:
    poisoned, other = hub.add_issue(REPO, "Poisoned"), hub.add_issue(REPO, "Other")
    hub.fault(path_regex=f"/issues/{poisoned}/", times=None, **odd)
    desk.add(poisoned, "first", "second")
    desk.add(other, "mine")

    desk.deliverer.deliver()

    assert desk.texts(other) == ["mine"]
    assert (desk.store.outbox.length("here"), desk.reasons()) == (2, [])
    assert f"{REPO}#{poisoned}" in desk.deliverer.late()
    desk.passes(hours=12)
    assert desk.store.outbox.length("here") == 0
    assert len(desk.reasons()) == 2
    hub.clear_faults()
    for one in desk.store.outbox.aside("here"):
        assert desk.store.outbox.retry("here", one.id)
    desk.deliverer.deliver()
    assert desk.texts(poisoned) == ["first", "second"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no right to write": (
        {
            "status": 403,
            "body": {"message": "Resource not accessible by personal access token"},
            "headers": {"X-Accepted-GitHub-Permissions": "issues=write"},
        },
        "Give the token issues: write",
    ),
    "archived": (
        {"status": 403, "body": {"message": "Repository was archived so is read-only."}},
        "Unarchive",
    ),
    "deleted": ({"status": 410, "body": {"message": "This issue was deleted"}}, "any more"),
    "gone": ({"status": 404, "body": {"message": "Not Found"}}, "GitHub knows no"),
    "locked": ({"status": 403, "body": {"message": "Issue is locked"}}, "Issue is locked"),
    "too long": ({"status": 422, "body": {"message": "Validation Failed"}}, "422"),
}


@pytest.mark.parametrize(("answer", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_github_refuses_is_set_aside_at_once_with_its_words(
    desk: Desk, hub: GitHubStandIn, answer: dict[str, Any], said: str
) -> None:
    issue = hub.add_issue(REPO, "Mine")
    desk.add(issue, "first", "second")
    hub.fault(method="POST", path_regex="/comments$", times=1, **answer)

    assert desk.deliverer.deliver() == 2

    assert desk.texts(issue) == ["second"]
    (reason,) = desk.reasons()
    assert said in reason


@pytest.mark.parametrize(
    ("status", "hours"), [(503, 0.5), (429, 24), (401, 24)], ids=["away", "limit", "token revoked"]
)
def test_outage_sets_nothing_aside(
    desk: Desk, hub: GitHubStandIn, status: int, hours: float
) -> None:
    issue = hub.add_issue(REPO, "Mine")
    desk.add(issue, "first", "second")
    hub.fault(status=status, body={"message": "Bad credentials"}, times=None)

    desk.passes(hours)
    assert (desk.store.outbox.length("here"), desk.reasons()) == (2, [])
    assert "GitHub" in desk.deliverer.late()
    hub.clear_faults()
    desk.passes(hours=1)

    assert desk.texts(issue) == ["first", "second"]
    assert desk.deliverer.late() == ""


def test_writes_of_one_issue_stay_in_order_whatever_waits(desk: Desk, hub: GitHubStandIn) -> None:
    issues = [hub.add_issue(REPO, "One") for _ in range(3)]
    for number in range(4):
        for issue in issues:
            desk.add(issue, f"{number}")
    hub.fault(method="POST", path_regex="/comments$", status=503, times=None, every=3)

    desk.passes(hours=3)

    assert [desk.texts(one) for one in issues] == [["0", "1", "2", "3"]] * 3


def test_effects_of_a_cw_of_before_follow_a_rename(desk: Desk, hub: GitHubStandIn) -> None:
    issue = hub.add_issue(REPO, "Mine")
    desk.add(issue, "worker:01", kind="label")
    hub.rename_repo(REPO, "globex/site")
    hub.set_permission("globex/site", "bot", "write")

    assert desk.deliverer.deliver() == 1

    assert hub.issue("globex/site", issue).labels == ("worker:01",)


def test_effect_reaches_its_repository_when_the_name_is_another_s(
    desk: Desk, hub: GitHubStandIn
) -> None:
    issue = hub.add_issue(REPO, "Mine")
    spec = make_spec(repo=REPO, repo_id=hub.state.repo(REPO).id, issue=issue)
    desk.store.outbox.add("here", on_outcome(spec, "01", 1, make_outcome(), ""))
    hub.label_issue(REPO, issue, "worker:01")
    hub.rename_repo(REPO, "acme/site")
    hub.add_repo(REPO)
    hub.set_permission(REPO, "bot", "write")
    other = hub.add_issue(REPO, "Another's", labels=["worker:01"])

    assert (desk.deliverer.deliver(), other) == (1, issue)

    assert hub.issue("acme/site", issue).labels == ()
    assert hub.issue(REPO, other).labels == ("worker:01",)


@pytest.fixture
def typed(cw: Cw, cw_environ: dict[str, str], desk: Desk, redis_url: str, tmp_path: Path) -> Cw:
    """`cw` of a machine of this fleet, and a refused comment in the outbox of `here`."""
    key = str(tmp_path / "signing.key")
    cw_environ |= {"CW_BROKER_URL": redis_url, "CW_SIGNING_KEY_FILE": key}
    desk.store.fleet.register_worker(Worker(id="01", host="here", home="/nowhere"))
    desk.add(999, "first")
    desk.deliverer.deliver()
    return cw


def test_person_sees_what_was_set_aside_and_why(typed: Cw) -> None:
    status, listed = typed("status"), typed("outbox")
    doctor = typed("doctor")
    rows = json.loads(typed("outbox", "--json").stdout)

    assert "Not delivered (1)" in status.stdout
    for one in (status, listed, doctor):
        assert "GitHub knows no issue acme/app#999" in " ".join(one.stdout.split())
    assert json.loads(typed("status", "--json").stdout)["undelivered"] == rows
    assert [(one["kind"], one["issue"], one["tries"]) for one in rows] == [("comment", 999, 1)]


def test_person_has_it_tried_again_or_drops_it(typed: Cw, desk: Desk, hub: GitHubStandIn) -> None:
    (row,) = json.loads(typed("outbox", "--json").stdout)
    hub.add_issue(REPO, "There after all", number=999)

    assert typed("outbox", "--retry", row["id"].lower()).returncode == 0
    assert desk.deliverer.deliver() == 1
    assert desk.texts(999) == ["first"]
    desk.add(998, "nowhere")
    desk.deliverer.deliver()
    assert typed("outbox", "--drop", "--all").returncode == 0
    assert typed("outbox").stdout == "Nothing was set aside.\n"
    assert desk.store.outbox.length("here") == 0


@pytest.mark.parametrize(
    "args",
    [
        ("--retry",),
        ("--all",),
        ("--retry", "--drop", "--all"),
        ("--retry", "0" * 26),
        ("--drop", "x"),
    ],
    ids=" ".join,
)
def test_what_is_typed_wrongly_is_one_line(typed: Cw, args: tuple[str, ...]) -> None:
    done = typed("outbox", *args)

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
