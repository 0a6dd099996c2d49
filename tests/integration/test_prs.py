"""`cw prs`, and where else people see pull requests of tasks, as they type it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cw.cli.views.schemas import schemas
from tests.conftest import Cw
from tests.integration.following import Road
from tests.integration.test_follow_pulls import QUARTER, REPO, hands, hub, quiet, road
from tests.standins.github import GitHubStandIn

__all__ = ["hands", "hub", "road"]  # fixtures


def test_prs_shows_them_with_filters_and_as_json(road: Road, hub: GitHubStandIn, cw: Cw) -> None:
    red, new = road.pull(), road.pull()
    hub.check(REPO, road.branch(red), "test", "failure")
    road.follow(timedelta(minutes=6))
    third = road.pull()  # nobody has looked at it yet

    table = road.cw(cw, "prs")
    rows = json.loads(road.cw(cw, "prs", "--json").stdout)
    only = json.loads(road.cw(cw, "prs", "--json", "--state", "needs-you").stdout)
    mine = json.loads(road.cw(cw, "prs", "--json", "--mine").stdout)

    assert "red: CI / test" in table.stdout
    assert {row["number"]: row["state"] for row in rows} == {
        red: "needs you",
        new: "ready",
        third: "watching",
    }
    assert [row["number"] for row in only] == [red]
    assert mine == []
    assert (rows[0]["cost_usd"], rows[0]["cost_estimated"]) == (0.5, False)
    assert schemas()["prs"]


def test_prs_says_which_change_the_same_files(road: Road, hub: GitHubStandIn, cw: Cw) -> None:
    one, other, third = (road.pull(files={name: "x"}) for name in ("a", "a", "b"))
    many = road.pull(files={f"{at:03}": "x" for at in range(101)} | {"b": "y"})
    road.follow()

    wide = road.cw(cw, "prs", COLUMNS="200").stdout.splitlines()
    rows = json.loads(road.cw(cw, "prs", "--json").stdout)
    story = json.loads(road.cw(cw, "show", road.record(one).task, "--json").stdout)
    hub.merge_pull(REPO, other)
    road.follow()
    later = json.loads(road.cw(cw, "prs", "--json", "--all").stdout)

    # The first hundred of the last one's files are compared, and `b` is none of them.
    assert {row["number"]: (row["shares"], row["compared"]) for row in rows} == {
        one: ([other], 1),
        other: ([one], 1),
        third: ([], 1),
        many: ([], 100),
    }
    cells = {line.split()[0]: line for line in wide}
    assert f"  #{other}  " in cells[f"{REPO}#{one}"]
    assert "(of 100 of 102 files)" in cells[f"{REPO}#{many}"]
    assert story["pull"]["shares"] == [other]
    assert {row["number"]: row["shares"] for row in later} == {
        one: [],
        other: [],
        third: [],
        many: [],
    }


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("prs", "resume"), "Missing argument"),
        (("prs", "resume", "acme/none#7"), "no pull request of a task is acme/none#7"),
        (("prs", "resume", "what?"), "is no pull request"),
        (("prs", "--state", "nonsense"), "nonsense"),
        (("prs", "--repo", "x y"), "x y"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_line(
    road: Road, cw: Cw, typed: tuple[str, ...], words: str
) -> None:
    done = road.cw(cw, *typed)

    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_resume_of_one_that_nobody_took_says_what_it_is(
    road: Road, hub: GitHubStandIn, cw: Cw
) -> None:
    number = quiet(road, hub)

    done = road.cw(cw, "prs", "resume", f"{REPO}#{number}")

    assert done.returncode == 2
    assert "is ready" in done.stderr


def test_prs_looks_at_once_when_it_is_told_to(road: Road, hub: GitHubStandIn, cw: Cw) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test")

    done = road.cw(cw, "prs", "--now", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["state"] == "checking"
    assert road.state(number) == "checking"


def test_status_and_show_tell_of_them(road: Road, hub: GitHubStandIn, cw: Cw) -> None:
    number = quiet(road, hub)
    task = road.record(number).task
    status = road.cw(cw, "status")
    hub.merge_pull(REPO, number)
    road.follow(QUARTER)

    show = road.cw(cw, "show", task)

    assert "1 ready" in status.stdout
    assert "merged" in show.stdout
    assert road.store.tasks.get(task)
