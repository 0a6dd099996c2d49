"""What the verbs decide without asking anybody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cw.cli.arguments.params import read_targets
from cw.cli.steering import need_stopped, stopped_line
from cw.errors import BadInputError, CwError, UnavailableError
from cw.homes.layout import Home
from cw.homes.removing import set_aside
from cw.operations.control.closing import ending
from cw.operations.control.shared import Patience
from cw.operations.control.stop import Stopped
from cw.operations.fleet.references import Target
from cw.operations.rest.writes import unlabel
from cw.states import OutcomeKind, State
from tests.making import NOW, make_id, make_outcome, make_spec, make_task


def stopped(state: State = State.STOPPED, **changed: object) -> Stopped:
    whole = {"task": "T", "label": "acme/app#22", "worker": "01", "state": state}
    return Stopped.model_validate(whole | changed)


def test_ids_of_workers_ranges_and_tasks_are_told_apart() -> None:
    task = make_id()

    found = read_targets(("03", task.lower(), "01..02"))

    assert found == [
        Target(worker="03"),
        Target(task=task),
        Target(worker="01"),
        Target(worker="02"),
    ]


def test_worker_given_twice_is_refused() -> None:
    with pytest.raises(BadInputError, match="twice"):
        read_targets(("01", "01"))


def test_ended_task_keeps_the_facts_of_its_last_run() -> None:
    last = make_outcome(
        OutcomeKind.DEFERRED, reason="usage_limit", commits=3, cost_usd=1.5, retry_at=NOW
    )

    found = ending(make_task(State.HELD, outcome=last), "reset", "ada@here")

    assert (found.kind, found.reason, found.message) == (
        OutcomeKind.STOPPED,
        "reset",
        "reset by ada@here",
    )
    assert (found.commits, found.cost_usd, found.retry_at) == (3, 1.5, None)


def test_task_that_never_ran_ends_as_well() -> None:
    assert ending(make_task(State.QUEUED), "cancelled", "ada").reason == "cancelled"


def test_label_is_taken_off_only_where_there_can_be_one() -> None:
    (effect,) = unlabel(make_task(State.STOPPED, worker="01"))
    waiting = make_task(State.QUEUED, spec=make_spec(wanted_worker="02"))

    assert (effect.kind, effect.issue, effect.text) == ("unlabel", 22, "worker:01")
    assert [one.text for one in unlabel(waiting)] == ["worker:02"]
    assert unlabel(make_task(State.QUEUED)) == []
    assert unlabel(make_task(State.STOPPED, worker="01", spec=make_spec(issue=None))) == []
    assert unlabel(make_task(State.STOPPED, worker="01", spec=make_spec(github=False))) == []


def test_line_says_what_was_kept_and_where() -> None:
    line = stopped_line(
        stopped(commits=2, branch="issue-22", wip="refs/cw/wip/t", clone="/w/01/github/acme/app")
    )

    assert line == (
        "acme/app#22 on worker 01: stopped, 2 commits on issue-22, not pushed and uncommitted"
        " changes kept as refs/cw/wip/t in /w/01/github/acme/app."
        " Go on: cw restart T, or end it: cw reset T"
    )
    assert "nothing committed" in stopped_line(stopped())


def test_exit_status_tells_a_host_that_is_away_from_a_slow_stop() -> None:
    need_stopped([stopped(), stopped(State.DONE)])
    with pytest.raises(UnavailableError, match="stays recorded") as away:
        need_stopped([stopped(), stopped(State.RUNNING, away=True)])
    with pytest.raises(CwError, match="did not stop in time") as slow:
        need_stopped([stopped(State.RUNNING)])

    assert (away.value.exit_code, slow.value.exit_code) == (4, 1)


def test_patience_ends_when_it_is_done_or_over() -> None:
    told: list[float] = []
    answers = iter([False, False, True])

    assert Patience(seconds=60, tell=told.append).until(lambda: next(answers))
    assert len(told) == 2
    assert not Patience(seconds=0).until(lambda: False)


def test_home_is_moved_whole_and_a_second_one_of_its_name_too(tmp_path: Path) -> None:
    places = []
    for number in range(3):
        (tmp_path / "01").mkdir()
        (tmp_path / "01" / "work").write_text(str(number))
        places.append(set_aside(Home(tmp_path / "01")))

    assert [one and (one / "work").read_text() for one in places] == ["0", "1", "2"]
    assert {one and one.parent for one in places} == {tmp_path / ".removed"}
    assert set_aside(Home(tmp_path / "01")) is None


def test_home_with_a_run_to_be_recorded_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "01")
    home.run.mkdir(parents=True)
    home.journal.write_text(json.dumps({}))
    monkeypatch.setattr("cw.homes.removing._SETTLE_SECONDS", 0.0)

    with pytest.raises(CwError, match="still has a run"):
        set_aside(home)

    assert home.journal.exists()
