"""In which conversation a run goes on: the HOME's own archives decide."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cw.homes import journal
from cw.homes.layout import Home
from cw.models import Task, TaskSpec
from cw.redaction.redact import Redactor
from cw.states import OutcomeKind, State
from tests.making import NOW, make_journal, make_outcome, make_spec, make_task
from tests.repairs import make_repair, make_repair_spec
from workerhost.runs.sessions import Session, chosen, offered

LENT = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "01")


def archived(home: Home, spec: TaskSpec, session: str, **run: Any) -> None:
    """A run of this task that ended here."""
    books = len(list(home.completed.glob("*.json")))
    ended = NOW + timedelta(minutes=books)
    whole = {"session": session, "clone": "/c", "ended_at": ended, "started_at": ended}
    book = make_journal(task=spec, outcome=make_outcome(), phase="settled")
    done = make_outcome(OutcomeKind.DEFERRED, reason=run.pop("reason", "done"))
    made = book.run.model_copy(update=whole | run)
    journal.archive(home, book.model_copy(update={"run": made, "outcome": done}), Redactor())


def session(home: Home, spec: TaskSpec, named: str = "", **changed: Any) -> Session:
    """`named` by the record; empty: it had none."""
    task: Task = make_task(State.RUNNING, spec=spec, **changed)
    new = offered(home, task)
    return chosen(home, task, named or new, new)


def test_repair_goes_on_where_its_pull_request_was_made(home: Home) -> None:
    author = make_spec()
    archived(home, author, LENT)
    spec = make_repair_spec(author=author.id, session=LENT)

    assert session(home, spec) == Session(LENT, lent=True)
    assert session(home, spec, named=LENT) == Session(LENT, lent=True)


def test_repair_goes_on_where_an_earlier_repair_was(home: Home) -> None:
    archived(home, make_repair_spec(session=LENT), LENT)

    assert session(home, make_repair_spec(session=LENT)) == Session(LENT, lent=True)


@pytest.mark.parametrize(
    "theirs",
    [
        make_spec(),
        make_repair_spec(number=32),
        make_repair_spec().model_copy(update={"repo_id": 8}),
    ],
    ids=["another task of the issue", "another pull request", "another repository"],
)
def test_record_alone_is_not_believed(home: Home, theirs: TaskSpec) -> None:
    archived(home, theirs, LENT)
    spec = make_repair_spec(session=LENT).model_copy(update={"repo_id": 7})

    found = session(home, spec, named=LENT)

    assert found.id != LENT
    assert not (found.lent)
    assert not (found.own)


def test_repair_does_not_take_another_session_of_its_author(home: Home) -> None:
    author = make_spec()
    archived(home, author, OTHER)

    assert not session(home, make_repair_spec(author=author.id, session=LENT)).lent


def test_later_runs_of_a_repair_are_its_own(home: Home) -> None:
    author = make_spec()
    archived(home, author, LENT)
    spec = make_repair_spec(author=author.id, session=LENT)
    archived(home, spec, LENT)

    assert session(home, spec, named=LENT) == Session(LENT, own=True)


@pytest.mark.parametrize("ended", [{"clone": ""}, {"reason": "host_died"}])
def test_run_without_an_agent_makes_no_conversation_the_repair_s_own(
    home: Home, ended: dict[str, Any]
) -> None:
    author = make_spec()
    archived(home, author, LENT)
    spec = make_repair_spec(author=author.id, session=LENT)
    archived(home, spec, LENT, **ended)

    assert session(home, spec, named=LENT) == Session(LENT, lent=True)


def test_fresh_begins_anew(home: Home) -> None:
    author = make_spec()
    archived(home, author, LENT)
    spec = make_repair_spec(author=author.id, session=LENT)

    found = session(home, spec, fresh=True)

    assert found.id != LENT
    assert not found.lent


def test_other_tasks_go_on_in_their_own(home: Home) -> None:
    spec = make_spec()
    archived(home, spec, OTHER)

    assert session(home, spec, named=OTHER) == Session(OTHER, own=True)
    assert session(home, spec, named=LENT) == Session(OTHER, own=True)
    assert session(home, make_spec(repair=make_repair())).id not in {LENT, OTHER}
