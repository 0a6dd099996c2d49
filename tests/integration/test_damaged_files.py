"""A file of a HOME, or of the state folder, that cannot be read costs only what it says."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cw.audit import Audit, Head, entries, verify
from cw.claude.events import parse, parse_line
from cw.homes import journal
from cw.homes.archives import archives
from cw.homes.files import read_json
from cw.homes.layout import Home
from cw.homes.running import shim_lives
from cw.machine import known_id
from cw.operations.views.attempts import from_archive as attempt_of
from cw.operations.views.history import from_archive
from cw.processid import boot_id
from tests.making import NOW, make_journal, make_outcome
from workerhost.agents import launch
from workerhost.claude.stream import Stream
from workerhost.github.delivered_writes import Delivered
from workerhost.runs import crash_loops

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", "x", "\udcff", -1, 10**400, 1e308, float("inf"), float("nan"), [], {}, [[]], True]
)
BYTES = st.binary(max_size=60) | st.sampled_from([b"", b"[" * 20_000, b"\xff", b"{}", b"[]", b"1"])


def whole_archive() -> dict[str, Any]:
    made = make_journal(phase="settled", outcome=make_outcome(retry_at=NOW)).model_dump(mode="json")
    made["run"]["ended_at"] = made["run"]["started_at"]
    return made


@st.composite
def damaged(draw: st.DrawFn, whole: dict[str, Any]) -> dict[str, Any]:
    """One value, anywhere, is another or gone."""
    copy: dict[str, Any] = json.loads(json.dumps(whole))
    part: Any = copy
    while True:
        name = draw(st.sampled_from(sorted(part)))
        if isinstance(part[name], dict) and part[name] and draw(st.booleans()):
            part = part[name]
            continue
        if draw(st.booleans()):
            part[name] = draw(ODD)
        else:
            del part[name]
        return copy


def home_in(folder: str) -> Home:
    home = Home(Path(folder) / "01")
    for one in (home.run, home.completed):
        one.mkdir(parents=True)
    return home


@settings(max_examples=150)
@given(data=damaged(whole_archive()))
def test_damaged_archive_is_a_row_or_none(data: dict[str, Any]) -> None:
    row = from_archive(data)
    attempt_of(data)
    journal.parse(data)

    assert row is None or row.outcome.kind


@settings(max_examples=60)
@given(raw=BYTES)
def test_damaged_archive_is_named_and_the_others_are_read(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home, bad = home_in(folder), []
        (home.completed / "good.json").write_text(json.dumps(whole_archive()))
        (home.completed / "bad.json").write_bytes(raw)
        (home.completed / os.fsdecode(b"odd-\xff.json")).write_bytes(b"{")
        (home.completed / "folder.json").mkdir()

        found = [path.name for path, _ in archives(home, lambda path: bad.append(path.name))]

        assert "good.json" in found
        assert {*found, *bad} == {"good.json", "bad.json", os.fsdecode(b"odd-\xff.json")}


SHIM = {"pid": os.getpid(), "start": "1", "boot": boot_id()}
EXIT = {"rc": 0, "cause": "", "started_at": 1.0, "ended_at": 2.0, "max_rss_kb": 5, "error": ""}
KEEPER = {"host": "x", "deaths": 1, "alone": False}


@settings(max_examples=150)
@given(
    name=st.sampled_from(["shim", "exit", "keeper"]),
    of=st.data(),
)
def test_damaged_record_of_a_run_is_as_if_it_were_not_there(name: str, of: st.DataObject) -> None:
    whole = {"shim": SHIM, "exit": EXIT, "keeper": KEEPER}[name]
    with tempfile.TemporaryDirectory() as folder:
        home = home_in(folder)
        path: Path = getattr(home, name)
        made = damaged(whole).map(lambda data: json.dumps(data).encode())
        path.write_bytes(of.draw(BYTES | made))

        assert not shim_lives(home)
        assert not launch.stop(home)
        launch.read_exit(home)
        assert crash_loops.take(home, 3)


@pytest.mark.parametrize(
    "changed",
    [
        {"rc": "x"},
        {"rc": [0]},
        {"rc": 256},
        {"rc": -65},
        {"rc": 10**400},
        {"started_at": "soon"},
        {"ended_at": None},
    ],
    ids=str,
)
def test_exit_record_that_no_shim_wrote_is_none(changed: dict[str, Any], tmp_path: Path) -> None:
    home = home_in(str(tmp_path))
    home.exit.write_text(json.dumps(EXIT), "utf-8")
    assert launch.read_exit(home)
    home.exit.write_text(json.dumps(EXIT | changed), "utf-8")

    assert launch.read_exit(home) is None


@settings(max_examples=100)
@given(raw=BYTES)
def test_damaged_line_of_a_log_costs_that_line(raw: bytes) -> None:
    stream = Stream()
    for line in (raw, b'{"type":"result","num_turns":3}'):
        parse_line(line, 0, NOW)
        if (data := parse(line)) is not None:
            stream.add(data)

    assert stream.progress.turns == 3


@settings(max_examples=100)
@given(raw=BYTES)
def test_damaged_line_of_the_audit_file_is_named_and_the_rest_is_read(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.jsonl"
        heads: list[Head] = []
        audit = Audit(path, heads.append)
        audit.add("one", "me")
        with path.open("ab") as file:
            file.write(raw.replace(b"\n", b"") + b"\n")
        audit.add("two", "me")

        assert [one.what for one in entries(path)] == ["one", "two"]
        assert verify(path, heads[-1]).bad == 2


@pytest.mark.parametrize(
    "line",
    [
        b'{"n": 1, "at": 1e400, "what": "x", "by": "", "facts": {}, "before": "", "hash": ""}',
        b'{"n": 1, "at": Infinity, "what": "x", "by": "", "facts": {}, "before": "", "hash": ""}',
        b'{"n": 1e400, "hash": 1}',
        b"[" * 200_000,
    ],
    ids=["time", "infinite time", "number", "deep"],
)
def test_entry_with_an_odd_number_costs_only_itself(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(line + b"\n")
    Audit(path, lambda _: None).add("one", "me")

    assert [one.what for one in entries(path)] == ["one"]
    assert verify(path, None).bad == 1


@settings(max_examples=60)
@given(raw=BYTES)
def test_damaged_memory_of_the_host_is_as_far_as_it_goes(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "host.txt"
        path.write_bytes(b"ID 5\n" + raw + b"\n")
        (Path(folder) / ".machine").write_bytes(raw)
        (Path(folder) / "proven.json").write_bytes(raw)

        assert Delivered(path).knows("ID")
        known_id(Path(folder))
        read_json(Path(folder) / "proven.json")
