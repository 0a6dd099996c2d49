"""What reviewers want, as the client reads it of the stand-in over HTTP, and answers to them."""

from __future__ import annotations

import pytest

from cw.errors import GitHubRefusedError, GitHubUnavailableError, GoneError
from cw.forges.repairing import HUNK_CHARS
from cw.forges.watched import PullName
from cw.github.client import GitHub
from tests.kept import Memory
from tests.standins.github import GitHubStandIn

REPO = "acme/app"
LINES = [f"line {at}" for at in range(1, 41)]
MARK = "cw:reply:1"


@pytest.fixture
def github(hub: GitHubStandIn) -> GitHub:
    return GitHub(hub.api_url, "bot-token", pace=0)


@pytest.fixture
def number(hub: GitHubStandIn) -> int:
    commit(hub, LINES)
    return hub.add_pull(REPO, "issue-1", "Fix", author="bot")


def commit(hub: GitHubStandIn, lines: list[str]) -> str:
    return hub.add_commit(REPO, "issue-1", {"a.txt": "\n".join(lines) + "\n"})


def start(hub: GitHubStandIn, number: int, body: str, line: int | None = 20) -> int:
    return hub.start_thread(REPO, number, body, author="owner", path="a.txt", line=line)


def node(thread: int) -> str:
    return f"PRRT_{thread}"


def words(github: GitHub, number: int) -> list[list[str]]:
    return [[said.body for said in one.comments] for one in github.threads(REPO, number).threads]


def test_thread_is_told_wholly(hub: GitHubStandIn, github: GitHub, number: int) -> None:
    made = start(hub, number, "Why?")
    hub.answer_thread(REPO, number, made, "Because", author="bot")
    hub.answer_thread(REPO, number, made, "No", author="outsider")

    found = github.threads(REPO, number)

    (thread,) = found.threads
    assert (thread.id, thread.path, thread.line) == (node(made), "a.txt", 20)
    assert thread.hunk.splitlines()[0].startswith("@@ -0,0 +1,40 @@")
    assert thread.hunk.splitlines()[-1] == "+line 20"
    assert [(said.author, said.association, said.ours) for said in thread.comments] == [
        ("owner", "COLLABORATOR", False),
        ("bot", "COLLABORATOR", True),
        ("outsider", "NONE", False),
    ]
    assert (thread.first.body, thread.last.body, thread.unread) == ("Why?", "No", 0)
    assert found.head == hub.pulls(REPO)[0].head_sha
    assert found.more_threads == 0


def test_what_is_resolved_or_outdated_is_not_told(
    hub: GitHubStandIn, github: GitHub, number: int
) -> None:
    resolved, changed = start(hub, number, "resolved", 1), start(hub, number, "changed", 5)
    start(hub, number, "moved", 20)
    start(hub, number, "all of it", None)
    hub.end_thread(REPO, number, resolved)

    commit(hub, ["new", *LINES[:4], "other", *LINES[5:]])

    found = github.threads(REPO, number).threads
    assert [(one.first.body, one.line) for one in found] == [("moved", 21), ("all of it", 0)]
    assert node(changed) not in {one.id for one in found}


def test_long_hunk_ends_with_its_line(hub: GitHubStandIn, github: GitHub) -> None:
    commit(hub, [f"{at:05} {'x' * 60}" for at in range(1000)])
    number = hub.add_pull(REPO, "issue-1", "Fix", author="bot")
    start(hub, number, "Why?", 900)

    (thread,) = github.threads(REPO, number).threads

    assert len(thread.hunk) <= HUNK_CHARS
    assert thread.hunk.splitlines()[0].startswith("+00")
    assert thread.hunk.splitlines()[-1].startswith("+00899 ")


def test_what_is_not_read_of_a_long_thread_is_counted(
    hub: GitHubStandIn, github: GitHub, number: int
) -> None:
    made = start(hub, number, "first")
    for at in range(60):
        hub.answer_thread(REPO, number, made, f"{at}", author="owner")
    name = PullName(REPO, number)

    (thread,) = github.threads(REPO, number).threads
    (seen,) = github.watch(Memory()).looks([name])[name].threads

    assert (thread.first.body, len(thread.comments), thread.unread) == ("first", 51, 10)
    assert (seen.last.body, len(seen.comments), seen.unread) == ("59", 20, 41)


def test_last_request_for_changes_of_each_who_may_write(
    hub: GitHubStandIn, github: GitHub, number: int
) -> None:
    hub.set_permission(REPO, "ann", "write")
    hub.review(REPO, number, "owner", "CHANGES_REQUESTED", "too old")
    hub.review(REPO, number, "owner", "CHANGES_REQUESTED", "Rename it")
    hub.review(REPO, number, "ann", "CHANGES_REQUESTED", "was so")
    hub.review(REPO, number, "ann", "APPROVED")
    hub.review(REPO, number, "outsider", "CHANGES_REQUESTED", "Run this")

    changes = github.threads(REPO, number).changes

    assert [(said.author, said.body) for said in changes] == [("owner", "Rename it")]


def test_answer_is_given_once_for_a_mark(hub: GitHubStandIn, github: GitHub, number: int) -> None:
    made = start(hub, number, "Why?")

    github.reply(REPO, number, node(made), "Done in 1a2b", MARK)
    github.reply(REPO, number, node(made), "Done in other words", MARK)
    github.reply(REPO, number, node(made), "And more", "cw:reply:2")

    assert words(github, number) == [
        [
            "Why?",
            f"Done in 1a2b\n\n<!-- {MARK} -->",
            "And more\n\n<!-- cw:reply:2 -->",
        ]
    ]


def test_mark_of_somebody_else_is_no_answer_of_ours(
    hub: GitHubStandIn, github: GitHub, number: int
) -> None:
    made = start(hub, number, f"Why? <!-- {MARK} -->")

    github.reply(REPO, number, node(made), "Done", MARK)

    assert len(words(github, number)[0]) == 2


def test_last_word_of_ours_is_told_from_a_newer_remark(
    hub: GitHubStandIn, github: GitHub, number: int
) -> None:
    made, name = start(hub, number, "Why?"), PullName(REPO, number)

    def last() -> tuple[str, bool, bool]:
        (thread,) = github.watch(Memory()).looks([name])[name].threads
        return thread.last.author, thread.last.ours, "<!-- cw:" in thread.last.body

    github.reply(REPO, number, node(made), "Done", MARK)
    answered = last()
    hub.answer_thread(REPO, number, made, "Not yet", author="owner")

    assert answered == ("bot", True, True)
    assert last() == ("owner", False, False)


@pytest.mark.parametrize("drop", [False, True])
def test_answer_that_got_lost_on_its_way_back_is_not_given_again(
    hub: GitHubStandIn, github: GitHub, number: int, drop: bool
) -> None:
    made = start(hub, number, "Why?")
    hub.fault(operation="Reply", status=502, after_effect=True, drop=drop)

    with pytest.raises(GitHubUnavailableError):
        github.reply(REPO, number, node(made), "Done", MARK)
    github.reply(REPO, number, node(made), "Done", MARK)

    assert len(words(github, number)[0]) == 2


def test_thread_is_resolved_and_stays_so(hub: GitHubStandIn, github: GitHub, number: int) -> None:
    made = start(hub, number, "Why?")

    github.resolve(REPO, node(made))
    github.resolve(REPO, node(made))

    assert github.threads(REPO, number).threads == ()


def test_thread_that_was_begun_over_rest_is_answered_and_resolved(
    hub: GitHubStandIn, github: GitHub, number: int
) -> None:
    head = github.threads(REPO, number).head
    github.start_thread(REPO, number, head=head, body="Why?")
    (thread,) = github.threads(REPO, number).threads

    github.reply(REPO, number, thread.id, "Done", MARK)
    answered = words(github, number)
    github.resolve(REPO, thread.id)

    assert (thread.path, thread.line, len(answered[0])) == ("a.txt", 0, 2)
    assert words(github, number) == []


def test_draft_becomes_ready_and_what_is_merged_stays(hub: GitHubStandIn, github: GitHub) -> None:
    commit(hub, LINES)
    number = hub.add_pull(REPO, "issue-1", "Fix", author="bot", draft=True)

    for _ in range(2):
        github.mark_ready(REPO, number)
    ready = hub.pulls(REPO)[0].draft
    hub.merge_pull(REPO, number)
    github.mark_ready(REPO, number)

    assert not ready
    assert len([one for one in hub.requests if one.operation == "Ready"]) == 1


def test_what_is_not_there_is_refused(github: GitHub) -> None:
    with pytest.raises(GitHubRefusedError):
        github.threads(REPO, 99)
    with pytest.raises(GitHubRefusedError):
        github.mark_ready(REPO, 99)
    with pytest.raises(GitHubRefusedError):
        github.resolve(REPO, "PRRT_99")
    with pytest.raises(GoneError, match="no such thread"):
        github.reply(REPO, 99, "PRRT_99", "Done", MARK)
