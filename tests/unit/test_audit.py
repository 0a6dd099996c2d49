"""The audit file: whole lines in order, and no way to change one unnoticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cw.audit import Audit, Head, entries, verify
from cw.errors import BadInputError, BrokerUnavailableError, CwError

Lines = list[bytes]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "here.jsonl"


def written(path: Path, count: int = 6) -> list[Head]:
    heads: list[Head] = []
    audit = Audit(path, heads.append)
    for number in range(count):
        audit.add("dispatched", "me@here", task=f"T{number}", title="ünï\n😀")
    return heads


def _altered(lines: Lines) -> Lines:
    return [*lines[:2], lines[2].replace(b"T2", b"T9"), *lines[3:]]


def _rehashed(lines: Lines) -> Lines:
    """By somebody who knows how a hash is made, for one line."""
    row = json.loads(lines[2])
    row["hash"] = "f" * 64
    return [*lines[:2], json.dumps(row).encode() + b"\n", *lines[3:]]


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        (_altered, 3),
        (_rehashed, 3),
        (lambda lines: [*lines[:2], *lines[3:]], 3),
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 2),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], 4),
        (lambda lines: [*lines[:3], b"no entry\n", *lines[3:]], 4),
        (lambda lines: [*lines[:3], b"[" * 5000 + b"\n", *lines[3:]], 4),
        (lambda lines: lines[:-1], 6),
        (lambda _: [], 1),
    ],
    ids=[
        "altered",
        "other hash",
        "cut out",
        "first cut",
        "moved",
        "twice",
        "nonsense",
        "deep",
        "tail",
        "all",
    ],
)
def test_first_bad_line_is_named(path: Path, change: Callable[[Lines], Lines], bad: int) -> None:
    heads = written(path)
    assert verify(path, heads[-1]).bad == 0
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))

    assert verify(path, heads[-1]).bad == bad


def test_chain_made_anew_is_seen_by_whoever_knows_the_last_line(path: Path) -> None:
    heads = written(path)
    path.unlink()
    written(path)

    assert verify(path, None).bad == 0
    assert verify(path, heads[-1]).why == "the broker knows this line with another hash"


def test_missing_word_of_whoever_ought_to_know_is_a_doubt(path: Path) -> None:
    assert not verify(path, None, told=False).why
    written(path)

    found = verify(path, None, told=False)

    assert (found.lines, found.bad) == (6, 0)
    assert "may be missing at the end" in found.why


def test_line_comes_after_what_it_tells_and_says_how_that_failed(path: Path) -> None:
    audit = Audit(path, lambda _: None)
    with audit.after("reset", "me@here", task="T1"):
        assert list(entries(path)) == []
    with pytest.raises(CwError), audit.after("reset", "me@here", task="T2"):
        raise BrokerUnavailableError("away")
    with pytest.raises(BadInputError), audit.after("reset", "me@here", task="T3"):
        raise BadInputError("there is no task T3")

    assert [one.facts for one in entries(path)] == [
        {"task": "T1"},
        {"task": "T2", "error": "BrokerUnavailableError"},
    ]


def test_several_processes_make_one_chain(path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: written(path, 10), range(4)))

    assert verify(path, None) == verify(path, Head())
    assert [one.n for one in entries(path)] == list(range(1, 41))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_half_a_line_of_a_power_cut_gives_way_to_the_next(path: Path) -> None:
    written(path, 2)
    with path.open("ab") as file:
        file.write(b'{"n": 3, "at"')

    written(path, 1)

    assert [one.n for one in entries(path)] == [1, 2, 3]
    assert verify(path, None).bad == 0


def test_line_is_written_while_the_broker_is_away(path: Path) -> None:
    def away(_: Head) -> None:
        raise BrokerUnavailableError("away")

    Audit(path, away).add("stop", "me@here")

    assert [one.what for one in entries(path)] == ["stop"]


def test_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("in the way", "utf-8")

    with pytest.raises(CwError, match="cannot be written"):
        written(tmp_path / "audit" / "here.jsonl")
