"""What agents make large, endless or broken takes as much memory and time as it is given."""

from __future__ import annotations

import io
import json
import os
import socket
from pathlib import Path

import pytest

from cw.claude.events import parse, parse_line
from cw.homes import journal
from cw.homes.files import read_json, read_regular
from cw.homes.layout import Home
from cw.redaction.redact import Redactor, redactor
from cw.redaction.streams import copy_blotted
from cw.transcript.loglines import LINE_BYTES, log_lines
from tests.making import NOW, make_journal
from workerhost.agents.follow import Follower
from workerhost.claude.stream import Stream
from workerhost.walls.cgroup import _parents

TOKEN = "ghp_" + "Ab3dEf6hIj9kLmNoPqRsTuVwXyZ012345678"
CLEAN = redactor({"GH_TOKEN": TOKEN})


def said(**message: object) -> dict[str, object]:
    return {"type": "assistant", "message": message}


@pytest.mark.parametrize("kind", ["pipe", "link", "device", "folder", "socket"])
def test_what_is_no_regular_file_is_not_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        (tmp_path / "y").write_text("{}", "utf-8")
        path.symlink_to("y")
    elif kind == "device":
        path = Path("/dev/null")
    elif kind == "folder":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(path))

    with pytest.raises(OSError, match=r"regular|symbolic|No such device"):
        read_regular(path)


def test_file_that_is_too_large_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text('{"a": 1}', "utf-8")

    assert read_json(path) == {"a": 1}
    assert read_json(path, most=7) is None


def test_line_of_very_many_objects_is_not_parsed() -> None:
    line = b'{"type":"user","a":[' + b"{}," * 300_000 + b"{}]}"
    assert len(line) < LINE_BYTES

    assert parse(line) is None


def test_long_text_is_parsed() -> None:
    data = said(id="m", content=[{"type": "text", "text": "a, b [c] {d} " * 3000}])

    assert parse(json.dumps(data).encode()) == data


def test_ids_of_many_messages_are_not_kept() -> None:
    stream = Stream()
    for number in range(1000):
        stream.add(said(id=str(number)))

    assert stream.progress.turns == 1000
    assert len(stream._messages) < 100


def test_what_is_kept_of_a_line_is_what_is_needed() -> None:
    stream = Stream()
    stream.add({"type": "result", "subtype": "success", "x": "y" * 900_000})
    stream.add({"type": "system", "subtype": "init", "model": "m" * 900_000})

    assert stream._result == {"subtype": "success"}
    assert len(stream.progress.model) <= 200


def test_to_do_of_any_size_is_not_sent() -> None:
    given = {"todos": [{"content": "x" * 100}] * 5000}
    block = {"type": "tool_use", "name": "TodoWrite", "input": given}
    (event,) = parse_line(json.dumps(said(content=[block])).encode(), 1, NOW)

    assert event.kind == "todo"
    assert len(json.dumps(event.data)) < 20_000


def test_line_with_many_events_gives_some() -> None:
    blocks = [{"type": "text", "text": "t"}] * 9000

    assert len(parse_line(json.dumps(said(content=blocks)).encode(), 1, NOW)) == 100


def test_events_that_nobody_takes_are_dropped_from_the_oldest_on(tmp_path: Path) -> None:
    follower = Follower(Home(tmp_path), Stream(), lambda _: None)
    for number in range(9000):
        follower._unsent.add(parse_line(b"%d" % number + b"x" * 1000, number, NOW), 1000)
    for number in range(30):
        follower._unsent.add(parse_line(b"%d" % number, number, NOW), 1_000_000)

    assert [one.text for one in follower._unsent.events()] == ["26", "27", "28", "29"]


def test_line_without_an_end_is_left_out_of_a_log() -> None:
    log = io.BytesIO(b"a\n" + b"x" * (3 * LINE_BYTES) + b"\nb\nc")

    assert list(log_lines(log)) == [b"a\n", b"b\n", b"c"]


def test_holes_of_a_log_are_kept(tmp_path: Path) -> None:
    home, book = Home(tmp_path / "01"), make_journal()
    home.run.mkdir(parents=True)
    with home.log.open("wb") as log:
        log.write(f"a {TOKEN}\n".encode())
        log.truncate(16 << 20)
        log.seek(0, os.SEEK_END)
        log.write(b"end\n")

    archived = journal.archive(home, book, CLEAN).with_suffix(".log")

    found = archived.stat()
    assert found.st_size == (16 << 20) + 4
    assert found.st_blocks < 100
    with archived.open("rb") as log:
        assert TOKEN.encode() not in log.read(200)


@pytest.mark.parametrize("at", [0, (1 << 18) - 20, 1 << 18, (1 << 18) - (1 << 15) - 7, 600_000])
def test_secret_is_found_wherever_a_window_ends(at: int) -> None:
    text = b"x" * at + b" " + TOKEN.encode() + b" " + b"y" * 500_000
    out = io.BytesIO()

    assert copy_blotted(io.BytesIO(text), CLEAN, out.write, len(text))
    assert len(out.getvalue()) == len(text)
    assert TOKEN.encode() not in out.getvalue()
    assert out.getvalue().count(b"*") + len(b"[redacted]") == len(TOKEN)


@pytest.mark.parametrize("before", ["", " ", "x", "abcdefghijklmn.", "eyJ.", '"'])
def test_web_token_is_found_behind_anything(before: str) -> None:
    token = f"eyJ{'a' * 12}.eyJ{'b' * 12}.{'c' * 20}"

    assert token[-20:] not in Redactor()(f"{before}{token} {token}")


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("8:pids:/a\n4:memory:/b\n0::/\n", ["/r/pids/a", "/r"]),
        ("0::/user.slice/cw.service\n", ["/r/user.slice/cw.service"]),
        ("", []),
    ],
)
def test_group_of_processes_is_made_beside_our_own(told: str, found: list[str]) -> None:
    assert [str(one) for one in _parents(told, Path("/r"))] == found
