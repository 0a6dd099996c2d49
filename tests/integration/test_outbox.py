"""Writes to GitHub: in order, each once, whatever GitHub answers."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from cw.github.client import GitHub
from cw.keyring import make_keyring
from cw.models import Outcome
from cw.names import new_task_id
from cw.operations.rest.outdated import outdated
from cw.states import Move, OutcomeKind
from cw.store.connection import Connection
from cw.store.lease_values import Grant, Holder, Settlement
from cw.store.outbox import Effect, OutboxStore
from cw.store.store import Store
from tests.integration.conftest import REPO
from tests.making import make_outcome, make_spec
from tests.standins.github import GitHubStandIn
from workerhost.github.delivered_writes import Delivered
from workerhost.github.outbox_delivery import Deliverer


@pytest.fixture
def github(hub: GitHubStandIn) -> GitHub:
    return GitHub(hub.api_url, "bot-token", pace=0)


@pytest.fixture
def issue(hub: GitHubStandIn) -> int:
    return hub.add_issue(REPO, "The build fails")


def add(store: Store, issue: int, *what: tuple[str, str]) -> None:
    effects = [
        Effect.model_validate(
            {"kind": kind, "repo": REPO, "issue": issue, "worker": "01", "text": text, "mark": text}
        )
        for kind, text in what
    ]
    store.outbox.add("here", effects)


@pytest.fixture
def delivered(tmp_path: Path) -> Delivered:
    return Delivered(tmp_path / "delivered" / "here.txt")


def texts(hub: GitHubStandIn, issue: int) -> list[str]:
    return [one.body.split("\n")[0] for one in hub.issue(REPO, issue).comments]


ALL = (
    ("label", "worker:01"),
    ("comment", "first"),
    ("comment", "second"),
    ("unlabel", "worker:01"),
)


def test_effects_are_carried_out_in_order(
    store: Store, hub: GitHubStandIn, delivered: Delivered, github: GitHub, issue: int
) -> None:
    add(store, issue, *ALL)

    assert Deliverer(store.outbox, "here", delivered, lambda _: github).deliver() == 4

    assert texts(hub, issue) == ["first", "second"]
    assert hub.issue(REPO, issue).labels == ()
    kinds = [one.kind for one in hub.issue(REPO, issue).events if one.label == "worker:01"]
    assert kinds == ["labeled", "unlabeled"]
    assert store.outbox.length("here") == 0


@pytest.mark.parametrize("drop", [False, True], ids=["502", "no answer"])
@pytest.mark.parametrize("path", ["/comments$", "/issues/[0-9]+/labels", "/labels$"])
def test_write_whose_answer_was_lost_is_not_done_twice(
    store: Store,
    hub: GitHubStandIn,
    delivered: Delivered,
    github: GitHub,
    issue: int,
    path: str,
    drop: bool,
) -> None:
    add(store, issue, *ALL[:3])
    hub.fault(method="POST", path_regex=path, after_effect=True, drop=drop)

    for _ in range(2):  # the client may look for itself whether it was done
        Deliverer(store.outbox, "here", delivered, lambda _: github).deliver()

    assert store.outbox.length("here") == 0
    assert texts(hub, issue) == ["first", "second"]
    assert hub.issue(REPO, issue).labels == ("worker:01",)


def test_nothing_overtakes_a_write_that_waits(
    store: Store, hub: GitHubStandIn, delivered: Delivered, github: GitHub, issue: int
) -> None:
    add(store, issue, *ALL)
    hub.fault(method="POST", path_regex="/comments$", status=503, times=2)

    done = [
        Deliverer(store.outbox, "here", delivered, lambda _: github).deliver() for _ in range(3)
    ]

    assert done == [1, 0, 3]
    assert texts(hub, issue) == ["first", "second"]


def test_secondary_limit_makes_the_write_wait(
    store: Store, hub: GitHubStandIn, delivered: Delivered, github: GitHub, issue: int
) -> None:
    add(store, issue, ("comment", "first"))
    hub.secondary_limit(method="POST", path_regex="/comments$", times=1)

    assert Deliverer(store.outbox, "here", delivered, lambda _: github).deliver() == 0
    assert Deliverer(store.outbox, "here", delivered, lambda _: github).deliver() == 1
    assert texts(hub, issue) == ["first"]


def test_write_that_github_refuses_does_not_hold_up_the_rest(
    store: Store, hub: GitHubStandIn, delivered: Delivered, github: GitHub, issue: int
) -> None:
    add(store, 999, ("comment", "nowhere"))
    add(store, issue, ("comment", "first"))

    assert Deliverer(store.outbox, "here", delivered, lambda _: github).deliver() == 2
    assert texts(hub, issue) == ["first"]


def test_label_that_is_gone_already_is_fine(
    store: Store, hub: GitHubStandIn, delivered: Delivered, github: GitHub, issue: int
) -> None:
    add(store, issue, ("unlabel", "worker:01"), ("comment", "first"))

    Deliverer(store.outbox, "here", delivered, lambda _: github).deliver()

    assert texts(hub, issue) == ["first"]


def comment(issue: int, text: str = "note") -> Effect:
    return Effect(kind="comment", repo=REPO, issue=issue, worker="01", text=text, mark="cw:note")


def posted(store: Store, issue: int) -> str:
    """The note as it is posted."""
    return f"note\n\n<!-- {store.outbox.marks(comment(issue))[0]} -->"


@pytest.mark.parametrize(
    ("author", "change"),
    [
        ("stranger", lambda text: text),
        ("bot", lambda text: text.replace("note", "Nothing to see here")),
        ("bot", lambda text: f"{text}\n\nand more"),
    ],
    ids=["another account", "other words", "more words"],
)
def test_mark_that_somebody_posts_first_holds_no_comment_back(
    store: Store,
    hub: GitHubStandIn,
    delivered: Delivered,
    github: GitHub,
    issue: int,
    author: str,
    change: Callable[[str], str],
) -> None:
    hub.add_user("stranger")
    hub.add_comment(REPO, issue, change(posted(store, issue)), author=author)
    store.outbox.add("here", [comment(issue)])

    Deliverer(store.outbox, "here", delivered, lambda _: github).deliver()

    bodies = [(one.author, one.body) for one in hub.issue(REPO, issue).comments]
    assert bodies[1:] == [("bot", posted(store, issue))]


def test_comment_is_found_again_among_hundreds(
    store: Store, hub: GitHubStandIn, delivered: Delivered, github: GitHub, issue: int
) -> None:
    hub.add_comment(REPO, issue, posted(store, issue).replace("\n", "\r\n"), author="bot")
    for number in range(150):
        hub.add_comment(REPO, issue, f"talk {number}", author="acme")
    store.outbox.add("here", [comment(issue)])

    Deliverer(store.outbox, "here", delivered, lambda _: github).deliver()

    assert len(hub.issue(REPO, issue).comments) == 151


def test_mark_is_good_in_one_place_and_needs_the_key(store: Store) -> None:
    other = OutboxStore(Connection("redis://nowhere", make_keyring(["k" * 40])))
    rotated = OutboxStore(Connection("redis://nowhere", make_keyring(["n" * 40, "k" * 40])))
    places = [
        comment(1),
        comment(2),
        comment(1, "other"),
        Effect(**{**dict(comment(1)), "repo": "a/b"}),
    ]

    marks = {one for keys in (store.outbox, other) for place in places for one in keys.marks(place)}

    assert len(marks) == 8
    assert rotated.marks(comment(1))[1:] == other.marks(comment(1))


def test_write_of_a_worker_without_a_token_is_set_aside_with_the_reason(
    store: Store, hub: GitHubStandIn, delivered: Delivered, issue: int
) -> None:
    add(store, issue, ("comment", "first"))

    assert Deliverer(store.outbox, "here", delivered, lambda _: None).deliver() == 1
    assert texts(hub, issue) == []
    assert [one.reason for one in store.outbox.aside("here")] == [
        "there is no GitHub token to do it with"
    ]


def of_task(kind: str, issue: int, task: str, worker: str = "01") -> Effect:
    return Effect.model_validate(
        {
            "kind": kind,
            "repo": REPO,
            "issue": issue,
            "worker": worker,
            "text": f"worker:{worker}",
            "task": task,
        }
    )


class Late:
    """A task of this issue, and what a host that comes back late wants to say of it."""

    def __init__(self, store: Store, github: GitHub, delivered: Delivered, issue: int) -> None:
        self.store, self.issue = store, issue
        self.deliverer = Deliverer(
            store.outbox, "late", delivered, lambda _: github, outdated=partial(outdated, store)
        )

    def begun(self, worker: str = "01") -> tuple[str, Grant]:
        task = new_task_id(1, secrets.randbits)
        spec = make_spec(id=task, repo=REPO, issue=self.issue, wanted_worker=worker)
        self.store.tasks.create(spec, "Do it")
        granted = self.store.tasks.acquire(spec.id, worker=worker, host="here", ttl=60, session="s")
        assert isinstance(granted, Grant)
        return spec.id, granted

    def ended(self, grant: Grant, outcome: Outcome, worker: str = "01") -> None:
        assert self.store.tasks.settle(
            Holder(grant.task_id, worker, grant.fence),
            Settlement(Move.FINISH, outcome),
        )

    def says(self, *effects: Effect) -> None:
        self.store.outbox.add("late", list(effects))
        assert self.deliverer.deliver() == len(effects)
        assert self.store.outbox.length("late") == 0


@pytest.fixture
def late(store: Store, github: GitHub, delivered: Delivered, issue: int) -> Late:
    return Late(store, github, delivered, issue)


@pytest.mark.parametrize(
    ("outcome", "labels"),
    [
        (None, {"worker:01"}),
        (make_outcome(), set()),
        (make_outcome(OutcomeKind.STOPPED, reason="issue_closed"), set()),
        (make_outcome(OutcomeKind.FAILED, reason="no_changes"), {"worker:01"}),
    ],
    ids=["runs", "succeeded", "closed", "failed"],
)
def test_label_of_a_task_comes_late_only_while_it_is_true(
    hub: GitHubStandIn, late: Late, outcome: Outcome | None, labels: set[str]
) -> None:
    task, grant = late.begun()
    if outcome:
        late.ended(grant, outcome)

    late.says(of_task("label", late.issue, task))

    assert set(hub.issue(REPO, late.issue).labels) == labels


def test_label_of_a_worker_that_has_it_no_more_stays_off(hub: GitHubStandIn, late: Late) -> None:
    task, _ = late.begun("02")

    late.says(of_task("label", late.issue, task, "01"))

    assert hub.issue(REPO, late.issue).labels == ()


def test_label_of_a_later_task_is_not_taken_off_for_an_earlier_one(
    hub: GitHubStandIn, late: Late
) -> None:
    earlier, grant = late.begun()
    late.ended(grant, make_outcome())
    later, _ = late.begun()
    late.says(of_task("label", late.issue, later))

    late.says(of_task("unlabel", late.issue, earlier))
    assert hub.issue(REPO, late.issue).labels == ("worker:01",)

    late.says(of_task("unlabel", late.issue, later))
    assert hub.issue(REPO, late.issue).labels == ()


def test_label_of_a_task_that_failed_is_not_put_on_beside_a_later_one(
    hub: GitHubStandIn, late: Late
) -> None:
    failed, grant = late.begun()
    late.ended(grant, make_outcome(OutcomeKind.FAILED, reason="blocked"))
    late.begun("02")
    own = of_task("label", late.issue, failed)

    late.says(own, own.model_copy(update={"text": "blocked"}))

    assert hub.issue(REPO, late.issue).labels == ()
