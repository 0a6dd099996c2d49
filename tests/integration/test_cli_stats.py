"""`cw stats` on archives that lie on a disk, with and without a broker, with and without GitHub."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cw.fleet_models import Host, Worker
from cw.homes.files import write_private
from cw.homes.home import make_home, templates_dir
from cw.homes.layout import Home
from cw.states import OutcomeKind
from cw.store.store import Store
from tests.integration.conftest import REPO
from tests.making import make_journal, make_outcome, make_spec
from tests.standins.github import GitHubStandIn
from tests.standins.github.person import Person

Cw = Callable[..., "subprocess.CompletedProcess[str]"]
AT = datetime(2026, 5, 8, 12, tzinfo=UTC)
SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "stats.json"


@pytest.fixture
def home(cw_environ: dict[str, str]) -> Home:
    return make_home(Path(cw_environ["CW_WORKERS_ROOT"]), "01", {}, templates_dir())


def archived(
    home: Home, number: int, *, model: str = "sonnet", repo_id: int = 0, **outcome: Any
) -> None:
    """The only run of issue `number`: so many minutes, so many dimes."""
    named = {"repo": REPO, "repo_id": repo_id, "issue": number, "model": model}
    spec = make_spec(id=f"01KTEST{number:019}", **named)
    whole: dict[str, Any] = {"turns": 2, "cost_usd": number / 10, "duration_s": number * 60.0}
    book = make_journal(task=spec, phase="settled", outcome=make_outcome(**(whole | outcome)))
    run = book.run.model_copy(update={"started_at": AT, "ended_at": AT + timedelta(days=number)})
    path = home.completed / f"acme-app-{number}.json"
    write_private(path, book.model_copy(update={"run": run}).model_dump_json().encode())


def delivered(home: Home, hub: GitHubStandIn, person: Callable[[str], Person]) -> list[int]:
    """Three pull requests, each of a task."""
    bot, numbers = person("bot"), []
    clone = bot.clone(REPO)
    for number in (1, 2, 3):
        bot.push_change(clone, f"b{number}", {f"f{number}": "new"})
        numbers.append(hub.add_pull(REPO, f"b{number}", "It"))
        url = f"{hub.state.web_url}/{REPO}/pull/{numbers[-1]}"
        archived(home, number, repo_id=hub.state.repo(REPO).id, pr=url)
    return numbers


def shown(cw: Cw, *args: str) -> dict[str, Any]:
    done = cw("stats", *args, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(found)
    return found


def known_to_a_broker(cw_environ: dict[str, str], redis_url: str, store: Store, home: Home) -> None:
    """That has forgotten every task."""
    cw_environ["CW_BROKER_URL"] = redis_url
    store.fleet.register_worker(Worker(id="01", host="here", home=str(home.path)))
    store.fleet.beat(Host(name="here", workers=1), store.tasks.now())


def test_it_is_that_of_the_archives_with_a_broker_that_forgot_and_without(
    cw: Cw, cw_environ: dict[str, str], home: Home, redis_url: str, store: Store
) -> None:
    for number in (1, 2, 3):
        archived(home, number, model="opus" if number == 3 else "sonnet")
    archived(home, 4, kind=OutcomeKind.FAILED, reason="killed", cost_usd=0.0, duration_s=0.0)

    local = shown(cw, "--by", "model", "--local")
    alone = shown(cw, "--by", "model")
    cost = json.loads(cw("cost", "--local", "--json").stdout)["total"]
    known_to_a_broker(cw_environ, redis_url, store, home)

    assert shown(cw, "--by", "model") == local == alone
    assert [
        (row["name"], row["tasks"], row["success_rate"], row["p50_s"], row["p95_s"])
        for row in local["rows"]
    ] == [("sonnet", 3, pytest.approx(2 / 3), 60.0, 120.0), ("opus", 1, 1.0, 180.0, 180.0)]
    total = local["total"]
    assert (total["usd"], total["unknown"], total["runs"]) == (0.6, 1, 4)
    assert (total["usd"], total["unknown"]) == (cost["usd"], cost["unknown"])
    assert total["merged"] is None


def test_what_nobody_knows_is_said_and_no_zero(cw: Cw, home: Home) -> None:
    archived(home, 1, cost_usd=0.0, pr=f"https://github.com/{REPO}/pull/7")

    done = cw("stats", "--local")

    head, row, total, unheard, pulls = done.stdout.splitlines()
    assert head.split() == [
        *("repo", "tasks", "success", "p50", "p95", "runs/task", "cost", "cost/task"),
        *("PRs", "cost/PR"),
    ]
    assert row.split() == [REPO, "1", "100%", "of", "1", "1m", "00s", "1m", "00s", "1.0", *"??1?"]
    assert total.split()[1:] == row.split()[1:]
    assert unheard == "+ 1 runs whose cost nobody heard of"
    assert pulls == "pull requests: not asked whether they were merged (see --merged)"


def test_since_takes_tasks_whose_last_run_ended_then(cw: Cw, home: Home) -> None:
    for number in (1, 2, 3):
        archived(home, number)

    rows = shown(cw, "--local", "--by", "day", "--since", "2026-05-10")["rows"]

    assert [row["name"] for row in rows] == ["2026-05-10", "2026-05-11"]


def test_nothing_that_ended_is_one_line(cw: Cw) -> None:
    assert cw("stats", "--local").stdout == "No run has ended yet. See: cw status\n"


@pytest.mark.parametrize(
    "args", [("--by", "issue"), ("--by", ""), ("--since", "soon"), ("--merged=1",), ("repo",)]
)
def test_what_it_does_not_know_is_one_line(cw: Cw, args: tuple[str, ...]) -> None:
    done = cw("stats", *args)

    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def pulls(
    cw_environ: dict[str, str],
    hub: GitHubStandIn,
    person: Callable[[str], Person],
    home: Home,
) -> list[int]:
    """By their numbers, as they were delivered."""
    cw_environ |= {
        "CW_GITHUB_API_URL": hub.api_url,
        "CW_GITHUB_URL": hub.state.web_url,
        "GH_TOKEN": "bot-token",
    }
    return delivered(home, hub, person)


@pytest.fixture
def forgetful(
    cw_environ: dict[str, str], redis_url: str, store: Store, home: Home, pulls: list[int]
) -> list[int]:
    known_to_a_broker(cw_environ, redis_url, store, home)
    return pulls


def test_merged_is_what_github_says_and_asked_again_for_nothing(
    cw: Cw, hub: GitHubStandIn, forgetful: list[int]
) -> None:
    hub.merge_pull(REPO, forgetful[0])
    hub.close_issue(REPO, forgetful[2])

    first = shown(cw, "--merged")
    hub.requests.clear()
    again = shown(cw, "--merged")

    total = first["total"]
    assert (total["pulls"], total["merged"], total["unasked"]) == (3, 1, 0)
    assert (total["usd_per_pull"], total["usd_per_merged"]) == (0.2, 0.6)
    assert again == first
    assert [one.status for one in hub.requests.matching(path_regex="/pulls/")] == [304] * 3
    hub.merge_pull(REPO, forgetful[1])
    assert shown(cw, "--merged")["total"]["merged"] == 2
    assert cw("stats", "--merged").stdout.splitlines()[0].endswith("merged  cost/merged")


def test_nothing_is_asked_unasked(cw: Cw, hub: GitHubStandIn, forgetful: list[int]) -> None:
    hub.requests.clear()

    total = shown(cw)["total"]

    assert list(hub.requests) == []
    assert (total["pulls"], total["merged"], total["unasked"]) == (len(forgetful), None, 3)


def test_name_that_is_another_repositorys_by_now_misleads_nobody(
    cw: Cw, hub: GitHubStandIn, forgetful: list[int]
) -> None:
    hub.merge_pull(REPO, forgetful[0])
    hub.rename_repo(REPO, "acme/tea")
    hub.add_repo(REPO)

    total = shown(cw, "--merged")["total"]

    assert (total["merged"], total["unasked"]) == (1, 0)


@pytest.mark.parametrize("token", ["wrong", ""])
def test_without_a_way_in_the_rest_is_shown(cw: Cw, forgetful: list[int], token: str) -> None:
    found = json.loads(cw("stats", "--merged", "--json", GH_TOKEN=token).stdout)

    assert found["not_asked"]
    assert found["total"]["unasked"] == len(forgetful)
    assert found["total"]["usd"] == 0.6
    told = cw("stats", "--merged", GH_TOKEN=token).stdout.splitlines()[-1]
    assert told.startswith("pull requests: not asked whether they were merged (")


def test_github_that_goes_away_is_asked_no_more(
    cw: Cw, hub: GitHubStandIn, forgetful: list[int]
) -> None:
    hub.merge_pull(REPO, forgetful[2])  # the newest, which is asked for first
    hub.requests.clear()
    hub.fault(path_regex=f"/pulls/{forgetful[1]}$", status=502, times=None)

    done = cw("stats", "--merged")

    assert (done.returncode, done.stderr) == (0, "")
    last = done.stdout.splitlines()[-1]
    assert last.startswith("pull requests: 2 of 3 are not known to be merged or not (")
    assert "  1+" in done.stdout
    assert not hub.requests.matching(path_regex=f"/pulls/{forgetful[0]}$")


def test_pull_request_that_is_gone_keeps_no_other_from_being_asked_for(
    cw: Cw, hub: GitHubStandIn, forgetful: list[int]
) -> None:
    hub.merge_pull(REPO, forgetful[0])
    hub.fault(path_regex=f"/pulls/{forgetful[1]}$", status=404, times=None)

    total = shown(cw, "--merged")["total"]

    assert (total["merged"], total["unasked"], total["usd_per_merged"]) == (1, 1, None)


def test_without_a_broker_the_rest_is_shown(cw: Cw, pulls: list[int]) -> None:
    found = shown(cw, "--merged")

    assert found["not_asked"].startswith("no broker is configured")
    assert found["total"]["unasked"] == len(pulls)
