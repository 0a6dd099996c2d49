"""A pull request is read by another worker, with the real claude, before a person does."""

from __future__ import annotations

from tests.acceptance.fleet import Fleet
from tests.standins.messages import bash, text

WORK = "printf 'Hello, you\\n' >hello && git add hello && git commit -qm 'Say hello'"


def test_another_worker_has_the_diff_in_its_clone_and_its_opinion_is_shown(
    real_fleet: Fleet,
) -> None:
    hub, api = real_fleet.github, real_fleet.api
    issue = hub.add_issue("acme/app", "Say hello", "A file that says so.")
    api.script(bash(WORK), text("There is a file now."), match=f"issue #{issue} of")
    made = real_fleet.json("dispatch", "-r", "acme/app", "-i", str(issue), "-w", "01")
    outcome = real_fleet.finished(made["task"])["outcome"]
    number = outcome["pr"].rpartition("/")[2]
    diff = f"git diff origin/main...{outcome['head']}"
    api.script(
        bash(diff),
        text("Change first: nothing says hello back."),
        match=f"Read the changes of pull request #{number}",
    )

    (row,) = real_fleet.json("review", "--ask", number)
    task = real_fleet.finished(row["task"])
    (sheet,) = real_fleet.json("review", number)

    asked = [one.text for one in api.requests if f"The changes: {diff}" in one.text]
    assert (row["worker"], task["outcome"]["kind"]) == ("02", "succeeded")
    assert "A file that says so." in asked[0]
    assert "+Hello, you" in asked[-1]
    assert sheet["opinion"]["text"] == "Change first: nothing says hello back."
    assert "+Hello, you\n" in sheet["diff"]
    assert hub.heads("acme/app").keys() == {"main", outcome["branch"]}
