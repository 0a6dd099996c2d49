"""The result line is found whatever surrounds it, in memory that does not grow with it."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from cw.claude.events import parse
from cw.transcript.loglines import LINE_BYTES
from workerhost.claude.longline import LongLine
from workerhost.claude.marks import MARKS
from workerhost.claude.stream import Stream
from workerhost.lastword import LastWord
from workerhost.programs.progress import Result

RESULT = {"type": "result", "subtype": "success", "is_error": False, "result": "Done.", "n": [1]}


def line(**more: Any) -> bytes:
    return json.dumps(RESULT | more, separators=(",", ":"), ensure_ascii=False).encode()


PLAIN = line()
SAID = b'{"type":"assistant","message":{"content":[]}}'
QUOTED = json.dumps({"type": "user", "text": PLAIN.decode()}, separators=(",", ":")).encode()
NESTED = b'{"type":"user","tool_use_result":%s,"many":[%s,%s]}' % (PLAIN, PLAIN, PLAIN)
AROUND = {
    "nothing": PLAIN,
    "codes": b"\x1b[?25h\x1b[0m" + PLAIN + b"\x1b[0m",
    "spaces": b"  " + PLAIN + b" \r",
    "noise": b"warning " * 50 + PLAIN,
    "the remains of a line": SAID[:35] + PLAIN,
    "another object": SAID + PLAIN,
    "zeros": b"\0" * 100 + PLAIN,
    "what is no text": b"\xff\xfe" + PLAIN + b"\xff",
    "words behind": PLAIN + b"bye",
}
NONE = {"said": SAID, "quoted": QUOTED, "nested": NESTED, "cut": PLAIN[:-3], "text": b"result"}


@pytest.mark.parametrize("name", AROUND)
@pytest.mark.parametrize("step", [1, 7, 64, 65, 1 << 16])
def test_it_is_heard_however_it_is_cut(name: str, step: int) -> None:
    word, whole = LastWord(MARKS), AROUND[name] + b"\n"

    for at in range(0, len(whole), step):
        assert not word.at
        word.add(whole[at : at + step])

    assert word.at


@pytest.mark.parametrize("name", [one for one in NONE if one != "cut"])
@pytest.mark.parametrize("step", [1, 7, 64, 65, 1 << 16])
def test_what_is_none_is_not_heard(name: str, step: int) -> None:
    word, whole = LastWord(MARKS), NONE[name] + b"\n"

    for at in range(0, len(whole), step):
        word.add(whole[at : at + step])

    assert not word.at


def test_agent_that_goes_on_has_not_said_its_last_word() -> None:
    word = LastWord(MARKS)

    word.add(PLAIN + b"\n" + b'{"type":"system","subtype":"task_updated"}\n')
    assert word.at
    word.add(SAID + b"\n")
    assert not word.at
    word.add(PLAIN)
    assert not word.at  # there may be more of it
    word.add(b"\n")
    assert word.at


@pytest.mark.parametrize("name", AROUND)
def test_it_is_read(name: str) -> None:
    assert parse(AROUND[name]) == RESULT


@pytest.mark.parametrize("name", NONE)
def test_what_is_none_is_not_read_as_one(name: str) -> None:
    assert (parse(NONE[name]) or {}).get("type") != "result"


@pytest.mark.parametrize("name", AROUND)
@pytest.mark.parametrize("step", [1, 7, 4096])
def test_long_one_is_read_in_pieces(name: str, step: int) -> None:
    text = 'A "quoted" \\ word: {[,]} é\n' * 20
    whole = AROUND[name].replace(PLAIN, line(result=text))
    long = LongLine()

    for at in range(0, len(whole), step):
        long.feed(whole[at : at + step])

    assert long.end() == RESULT | {"result": text}


@pytest.mark.parametrize(
    "fill",
    ["x", "\n", "\\", "é", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")],
)
@pytest.mark.parametrize("escaped", [False, True])
def test_of_a_text_without_end_the_beginning_is_kept(fill: str, escaped: bool) -> None:
    data = RESULT | {"result": fill * 300_000, "errors": [fill * 300_000]}
    long = LongLine()

    long.feed(json.dumps(data, separators=(",", ":"), ensure_ascii=escaped).encode())

    found = long.end()
    assert found
    assert found["subtype"] == "success"
    assert len(found["result"]) > 10_000
    assert set(found["result"]) == {fill}
    assert found["errors"] is None


def test_memory_does_not_grow_with_it() -> None:
    piece = b"long words \\n" * 1000
    head = line(result="").replace(b'"result":""', b'"result":"')[: -len(b',"n":[1]}')]
    tracemalloc.start()
    long, word = LongLine(), LastWord(MARKS)
    for part in (head, *[piece] * 2000, b'","n":[1]}'):
        long.feed(part)
        word.add(part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    found = long.end()
    assert found
    assert found["result"].startswith("long words \nlong")
    assert found["n"] == [1]
    assert peak < 2 * LINE_BYTES


def test_several_add_up_and_the_fuller_report_is_kept() -> None:
    stream = Stream()
    for turns, cost, said in ((3, 0.25, "All of what was done."), (2, 0.5, "Done.")):
        spent = {"model_usage_since_last_result": {"m": {"costUSD": cost}}}
        stream.add(RESULT | {"num_turns": turns, "result": said} | spent)

    assert (stream.progress.turns, stream.progress.cost_usd) == (5, 0.75)
    assert stream.progress.result == Result(report="All of what was done.", last="Done.")


def test_failure_after_finished_work_changes_nothing_about_it() -> None:
    stream = Stream()
    stream.add(RESULT | {"num_turns": 3})
    stream.add({"type": "result", "subtype": "error_during_execution", "is_error": True})

    assert stream.progress.result
    assert stream.progress.result.good
    assert stream.progress.turns == 3
