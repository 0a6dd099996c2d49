"""From an issue to a pull request that is ready for review, by beat alone: a draft is read by
another worker, what it finds is mended by the author, and then it is marked ready.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.beating import REPO
from tests.acceptance.conftest import running_claude
from tests.acceptance.fleet import Fleet
from tests.acceptance.test_repairs_by_beat import COMMIT, QUICK, good_when_there, pull_of, row_when
from tests.standins.github import gitrepo
from tests.standins.messages import bash, text

FOUND = "Change first: hello.txt greets nobody by name."


@pytest.fixture
def claude_fleet() -> Iterator[Fleet]:
    with running_claude({**QUICK, "CW_PULLS_REVIEW": "worker"}) as fleet:
        yield fleet


def test_draft_is_read_by_another_worker_mended_by_its_author_and_becomes_ready(
    claude_fleet: Fleet,
) -> None:
    fleet, hub, api = claude_fleet, claude_fleet.github, claude_fleet.api
    hub.ci = good_when_there("hello.txt")
    issue = hub.add_issue(REPO, "Say hello", "It says nothing.")
    opens = f"gh pr create --draft --title 'Be polite' --body 'Fixes #{issue}' --base main"
    work = [
        bash(f"echo hello > hello.txt; {COMMIT} 'Say hello'"),
        bash(f"git push -q origin HEAD && {opens}"),
    ]
    diff = bash(f"git diff origin/main...origin/issue-{issue}")
    api.script(diff, text(FOUND), match="Read the changes of pull request")
    mends = [
        bash(f"echo hello you > hello.txt && {COMMIT} 'Greet by name'"),
        text("Greeted.\n\n[1] fixed: it greets by name"),
    ]
    api.script(*work, text("It says hello."), match=f"issue #{issue} of")
    api.script(*work, *mends, match="findings of another worker: claims")
    task = fleet.json("dispatch", "-i", f"{REPO}#{issue}", "-w", "01")["task"]

    number = pull_of(fleet, issue)["number"]
    reviewing = row_when(fleet, lambda row: row["state"] == "reviewing", 120)
    drafts = {pull.draft for pull in hub.pulls(REPO)}
    ready = row_when(fleet, lambda row: row["state"] == "ready" and not row["draft"], 240)

    rows = fleet.json("history")
    (read,) = [row for row in rows if row["title"].startswith("review of")]
    (mended,) = [row for row in rows if row["title"].startswith("repair of")]
    (made,) = [row for row in rows if row["task"] == task]
    sessions = {
        one.session for one in api.requests if one.rounds and "Read the changes of" not in one.text
    }
    (asked, *_) = [one.text for one in api.requests if "findings of another worker" in one.text]
    assert (reviewing["draft"], drafts) == (True, {True})
    assert read["title"] == f"review of {REPO}#{number} · Say hello"
    assert (read["worker"], mended["worker"], made["worker"]) == ("02", "01", "01")
    assert len(sessions) == 1  # the author's goes on
    assert FOUND in asked
    assert (ready["rounds"], ready["waits"]) == (1, "a look, and the merge")
    assert ready["cost_usd"] == pytest.approx(sum(row["cost_usd"] for row in rows))
    assert {pull.draft for pull in hub.pulls(REPO)} == {False}
    assert hub.issue(REPO, number).comments == ()
    assert hub.issue(REPO, issue).labels == ()
    path = hub.state.repo(REPO).path
    assert gitrepo.read_file(path, f"issue-{issue}", "hello.txt") == "hello you\n"
