"""Sessions: chosen, resumed, refused."""

import signal
import uuid
from dataclasses import dataclass

import pytest

from cw.homes.layout import Home
from tests.contract.conftest import NewRoom
from tests.contract.processes import until
from tests.contract.room import Ended, Room
from tests.standins.messages import bash, text, together
from workerhost.claude.runner import CLAUDE


@dataclass(frozen=True)
class Twice:
    room: Room
    first: Ended
    second: Ended


@pytest.fixture(scope="session")
def twice(new_room: NewRoom) -> Twice:
    room = new_room()
    first = room.run(bash("echo said-by-tool"), text("First answer."), prompt="First prompt.")
    second = room.run(
        text("Second answer."), prompt="Second prompt.", session=first.session, resume=True
    )
    return Twice(room, first, second)


def test_resume_keeps_the_session_and_its_file(twice: Twice) -> None:
    assert twice.second.rc == 0
    assert twice.second.init["session_id"] == twice.first.session
    assert [path.stem for path in twice.room.transcripts] == [twice.first.session]


def test_all_that_is_kept_of_a_session_is_found(twice: Twice) -> None:
    """It is put away after the merge; a file of another name would lie there for ever."""
    session, home = twice.first.session, Home(twice.room.home)
    parts = CLAUDE.conversation(home, twice.room.work, session)
    below = [home.claude / name for name in ("projects", "tasks")]
    named = [path for top in below for path in top.rglob("*") if path.is_file()]

    assert named
    assert [path for path in named if not any(path.is_relative_to(part) for part in parts)] == []


def test_resume_sends_the_earlier_messages(twice: Twice) -> None:
    sent = twice.second.requests[0]
    parts = ["First prompt.", "said-by-tool", "First answer.", "Second prompt."]

    places = [sent.text.rfind(part) for part in parts]
    assert places == sorted(places)
    assert places[0] >= 0


def test_resumed_run_counts_its_own_turns_and_usage(twice: Twice) -> None:
    assert twice.second.result["num_turns"] == 1
    assert twice.second.result["usage"]["input_tokens"] == 1_000


def test_cost_of_a_resumed_run(twice: Twice) -> None:
    """Old: its own. New: of the session so far, its own being in another field."""
    first, second = twice.first.result, twice.second.result
    one_request = first["total_cost_usd"] / 2
    own = {"total": one_request, "since": None}
    whole = {"total": 3 * one_request, "since": one_request}
    since = second.get("model_usage_since_last_result")
    got = {
        "total": second["total_cost_usd"],
        "since": sum(used["costUSD"] for used in since.values()) if since else None,
    }

    assert got in [pytest.approx(one) for one in twice.room.claude.differs(old=own, new=whole)]


def test_ceiling_of_dollars_counts_one_process_alone(room: Room) -> None:
    """So a host has to give each run what is left."""
    first = room.run(text("First answer."))
    most = 1.5 * first.result["total_cost_usd"]

    again = room.run(
        text("Second answer."),
        session=first.session,
        resume=True,
        flags=["--max-budget-usd", f"{most:g}"],
    )

    assert (again.rc, again.result["is_error"]) == (0, False)


def test_resume_from_another_folder(twice: Twice) -> None:
    """Old: unknown there. New: found. So always resume from the same folder."""
    elsewhere = twice.room.home / "elsewhere"
    elsewhere.mkdir()
    ended = twice.room.run(
        text("Third answer."), session=twice.first.session, resume=True, cwd=elsewhere
    )

    assert ended.rc in twice.room.claude.differs(old=1, new=0)


def test_session_id_in_use_is_refused(twice: Twice) -> None:
    ended = twice.room.run(text("No."), session=twice.first.session)

    assert (ended.rc, ended.lines, ended.requests) == (1, [], [])
    assert f"Session ID {twice.first.session} is already in use" in ended.err


def test_unknown_session_cannot_be_resumed(room: Room) -> None:
    unknown = str(uuid.uuid4())
    ended = room.run(text("No."), session=unknown, resume=True)

    assert (ended.rc, ended.requests) == (1, [])
    assert ended.err.strip() == f"No conversation found with session ID: {unknown}"
    assert (ended.result["subtype"], ended.result["is_error"]) == ("error_during_execution", True)


def test_session_id_must_be_a_uuid(room: Room) -> None:
    ended = room.run(text("No."), session="issue-22")

    assert (ended.rc, ended.lines) == (1, [])
    assert "Must be a valid UUID" in ended.err


def test_killed_session_resumes_with_what_was_written(room: Room) -> None:
    """The transcript lags behind the stream, so the test waits for the file."""
    started = room.start(
        bash("echo first-round"), together(text("Now the long one."), bash("echo x; sleep 300"))
    )
    until(
        lambda: [one for one in room.transcripts if "Now the long one." in one.read_text("utf-8")],
        "the second answer in the transcript",
    )
    started.process.send_signal(signal.SIGKILL)
    killed = started.end()
    ended = room.run(text("Going on."), prompt="Continue.", session=started.session, resume=True)

    assert killed.rc == -signal.SIGKILL
    assert killed.of("result") == []
    assert (ended.rc, ended.result["result"]) == (0, "Going on.")
    assert "first-round" in ended.requests[0].text
    assert ended.requests[0].last_message == "Continue."


def test_resumed_run_with_other_appended_words(room: Room) -> None:
    """Old: it has them. New: it has those that the conversation began with."""
    first = room.run(text("First answer."), prompt="First prompt.")
    room.appended.write_text("OTHER-WORDS", encoding="utf-8")

    again = room.run(text("Second."), prompt="Second.", session=first.session, resume=True)

    sent = again.requests[-1].text
    assert ("OTHER-WORDS" in sent) in room.claude.differs(old=True, new=False)
    assert ("WORDS-APPENDED-TO-THE" in sent) in room.claude.differs(old=False, new=True)
