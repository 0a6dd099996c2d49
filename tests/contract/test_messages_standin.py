"""The scripted Messages API itself: two agents apart, failures that pass, held answers."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tests.standins.messages import (
    MessagesStandIn,
    bash,
    drop,
    error,
    hang,
    slow,
    text,
    usage_limit,
)

ROOT = Path(__file__).parents[2]
DEADLINE_S = 10


@pytest.fixture
def api() -> Iterator[MessagesStandIn]:
    with MessagesStandIn() as api:
        yield api


def ask(url: str, prompt: str, answered: int = 0, session: str = "s") -> tuple[int, Any]:
    """One request of a conversation in which tools have answered so many times."""
    rounds: Sequence[Any] = [
        {"role": "user", "content": [{"type": "tool_result", "content": "x"}]}
    ] * answered
    body = {"model": "m", "messages": [{"role": "user", "content": prompt}, *rounds]}
    server = HTTPConnection(url.removeprefix("http://"), timeout=DEADLINE_S)
    headers = {"X-Claude-Code-Session-Id": session}
    with closing(server):
        server.request("POST", "/v1/messages?beta=true", json.dumps(body), headers)
        answer = server.getresponse()
        return answer.status, json.loads(answer.read())


def said(url: str, prompt: str, answered: int = 0, session: str = "s") -> Any:
    block = ask(url, prompt, answered, session)[1]["content"][0]
    return block.get("text") or block["input"]["command"]


def test_two_agents_follow_their_own_scripts(api: MessagesStandIn) -> None:
    api.script(bash("make a"), text("a done"), match="issue-22")
    api.script(text("b done"), match="issue-221")

    assert said(api.url, "Work on issue-22.") == "make a"
    assert said(api.url, "Work on issue-221.") == "b done"
    assert said(api.url, "Work on issue-22.", answered=1) == "a done"


def test_script_can_be_chosen_by_session_or_function(api: MessagesStandIn) -> None:
    api.script(text("any"))
    api.script(text("by session"), match="abc")
    api.script(text("by function"), match=lambda request: request.last_message == "second")

    assert said(api.url, "x", session="abc") == "by session"
    assert said(api.url, "second") == "by function"
    assert said(api.url, "x") == "any"


def test_request_without_a_script_is_refused(api: MessagesStandIn) -> None:
    assert ask(api.url, "hello")[0] == 400


def test_failure_passes_after_its_times(api: MessagesStandIn) -> None:
    api.script(bash("one"), error(529, times=2), text("end"))

    assert said(api.url, "x") == "one"
    assert [ask(api.url, "x", answered=1)[0] for _ in range(3)] == [529, 529, 200]
    assert ask(api.url, "x", answered=1, session="other")[0] == 529


def test_usage_limit_passes_with_its_time(api: MessagesStandIn) -> None:
    api.script(usage_limit(time.time() + 3600), text("end"), match="later")
    api.script(usage_limit(time.time() - 1), text("end"), match="over")

    assert ask(api.url, "later")[0] == 429
    assert said(api.url, "over") == "end"


def test_dropped_connection_brings_no_answer(api: MessagesStandIn) -> None:
    api.script(drop())

    with pytest.raises(ConnectionError):
        ask(api.url, "x")


def test_held_answer_comes_when_its_gate_opens(api: MessagesStandIn) -> None:
    gate, answers = Event(), list[str]()
    api.script(slow(text("late"), gate=gate))
    asking = Thread(target=lambda: answers.append(said(api.url, "x")))
    asking.start()
    api.wait_for(lambda request: request.session == "s")
    before = list(answers)
    gate.set()
    asking.join(DEADLINE_S)

    assert (before, answers) == ([], ["late"])


def test_close_does_not_wait_for_a_hanging_answer() -> None:
    api = MessagesStandIn().start()
    api.script(hang())
    outcomes: list[type[BaseException]] = []

    def asking() -> None:
        try:
            ask(api.url, "x")
        except OSError as broken:
            outcomes.append(type(broken))

    thread = Thread(target=asking)
    thread.start()
    api.wait_for(lambda request: request.session == "s")
    api.close()
    thread.join(DEADLINE_S)

    assert len(outcomes) == 1


def test_by_hand_it_prints_its_url_and_ends_on_sigterm(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    turns = [{"bash": "ls", "usage": {"input_tokens": 7}}, {"error": {"status": 529}}]
    listed = [{"match": "issue-22", "turns": turns}, {"turns": [{"text": "other"}]}]
    script.write_text(json.dumps(listed), encoding="utf-8")
    command = [sys.executable, "-m", "tests.standins.messages", "--script", str(script)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout
        url = served.stdout.readline().strip()
        first, other = ask(url, "issue-22")[1], said(url, "anything")
        refused = ask(url, "issue-22", answered=1)[0]
        served.send_signal(signal.SIGTERM)

        assert served.wait(DEADLINE_S) == 0
    assert (first["usage"]["input_tokens"], other, refused) == (7, "other", 529)
