"""Without an issue: the prompt goes to the agent whole, and `--mode` says what counts as done."""

from __future__ import annotations

from typing import Any

from tests.acceptance.fleet import Fleet
from tests.standins.messages import Turn, bash, text

COMMIT = "echo more >> README.md && git commit -qam 'Say more'"


def run(fleet: Fleet, word: str, mode: str, *turns: Turn) -> dict[str, Any]:
    """A prompt with a word of its own, and the outcome of its task."""
    fleet.api.script(*turns, match=word)
    said = fleet.json(
        "dispatch", "-r", "acme/app", "-m", "sonnet", "-w", "01", "--mode", mode, "-p", f"Do {word}"
    )
    outcome: dict[str, Any] = fleet.finished(said["task"])["outcome"]
    return outcome


def test_reading_ends_with_its_report_and_pushes_nothing(real_fleet: Fleet) -> None:
    before = real_fleet.github.heads("acme/app")

    end = run(real_fleet, "audit-one", "read", bash(COMMIT), text("Three things are old."))

    assert (end["kind"], end["report"]) == ("succeeded", "Three things are old.")
    assert real_fleet.github.heads("acme/app") == before


def test_updating_without_a_commit_did_not_succeed(real_fleet: Fleet) -> None:
    end = run(real_fleet, "update-one", "update", text("All updated."))

    assert (end["kind"], end["reason"]) == ("failed", "no_changes")


def test_updating_succeeds_with_pushed_commits_and_needs_no_pull_request(
    real_fleet: Fleet,
) -> None:
    end = run(real_fleet, "update-two", "update", bash(COMMIT), text("Updated."))

    assert (end["kind"], end["pushed"], end["pr"]) == ("succeeded", True, "")
    assert real_fleet.github.heads("acme/app")[end["branch"]] == end["head"]


def test_created_issues_are_listed_as_github_shows_them(real_fleet: Fleet) -> None:
    old = real_fleet.github.add_issue("acme/app", "Old one", "Already here.")
    create = "gh issue create --title 'New one' --body 'Found it.'"
    look = f"echo http://github.localhost/acme/app/issues/{old}; "

    end = run(real_fleet, "triage-one", "issue", bash(look + create), text("One issue."))

    (new,) = [one for one in real_fleet.github.issues("acme/app") if one.title == "New one"]
    assert (end["kind"], end["reason"]) == ("succeeded", "done")
    assert [one.rsplit("/", 1)[1] for one in end["issues"]] == [str(new.number)]


def test_claimed_issues_that_do_not_exist_are_no_success(real_fleet: Fleet) -> None:
    end = run(real_fleet, "triage-two", "issue", text("Created /acme/app/issues/4711 for you."))

    assert (end["kind"], end["reason"]) == ("failed", "no_issues")


def test_mode_goes_with_a_prompt_only(real_fleet: Fleet) -> None:
    number = real_fleet.github.add_issue("acme/app", "An issue", "x")

    done = real_fleet.cw("dispatch", "-r", "acme/app", "-i", str(number), "--mode", "read")

    assert done.returncode == 2
    assert "--mode goes with a prompt" in done.stderr
