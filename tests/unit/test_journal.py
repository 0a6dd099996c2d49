"""The journal outlives crashes: whole or absent, and never a crash itself."""

from __future__ import annotations

import json
import stat
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cw.homes import journal
from cw.homes.layout import Home
from cw.redaction.redact import Redactor, redactor
from tests.making import NOW, make_journal, make_outcome, make_spec

WHOLE = make_journal().model_dump_json(indent=2).encode()
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", "x", [], {}, -1, 10**400, 1e300, float("inf"), float("nan"), True, [[]], {"a": 1}]
)
DAMAGED = st.one_of(
    st.binary(max_size=400),
    st.integers(0, len(WHOLE) - 1).map(lambda cut: WHOLE[:cut]),
    st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 7)).map(lambda at: flipped(*at)),
    st.sampled_from([b"", b"[]", b"null", b"\xff\xfe", b"[" * 300_000, b"9" * 3_000_000]),
    st.tuples(st.sampled_from(["task", "run", "phase", "outcome"]), VALUES).map(
        lambda one: with_value(*one)
    ),
    st.tuples(st.sampled_from(["started_at", "ended_at", "fence", "worker"]), VALUES).map(
        lambda one: with_value("run", json.loads(WHOLE)["run"] | {one[0]: one[1]})
    ),
)


def flipped(place: int, bit: int) -> bytes:
    changed = bytearray(WHOLE)
    changed[place] ^= 1 << bit
    return bytes(changed)


def with_value(name: str, value: Any) -> bytes:
    return json.dumps(json.loads(WHOLE) | {name: value}).encode()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return new_home(tmp_path)


def new_home(folder: Path) -> Home:
    home = Home(folder / "01")
    home.run.mkdir(parents=True)
    return home


def test_journal_is_read_back_as_it_was_written(home: Home) -> None:
    book = make_journal(outcome=make_outcome(retry_at=NOW))

    journal.write(home, book)

    assert journal.read(home) == book
    assert stat.S_IMODE(home.journal.stat().st_mode) == 0o600
    assert [one.name for one in home.run.iterdir()] == ["task.json"]


def test_idle_home_has_none(home: Home) -> None:
    assert journal.read(home) is None


@settings(max_examples=80)
@given(DAMAGED)
def test_damaged_journal_is_read_or_moved_aside_and_kept(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = new_home(Path(folder))
        home.journal.write_bytes(raw)

        book = journal.read(home)

        aside = [one.read_bytes() for one in home.run.glob("task.corrupt-*")]
        assert aside == ([] if book else [raw])
        assert home.journal.exists() == (book is not None)
        assert book is None or journal.read(home) == book


def test_what_was_moved_aside_survives_the_next_run(home: Home) -> None:
    home.journal.write_bytes(b"{")
    journal.read(home)
    journal.write(home, make_journal())

    journal.archive(home, make_journal(), Redactor())

    assert [one.read_bytes() for one in home.run.iterdir()] == [b"{"]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({}, "acme-app-22"),
        ({"issue": None}, "acme-app-task"),
        ({"repo_folder": "Acme.Inc/my_app"}, "Acme.Inc-my_app-22"),
        ({"repo_folder": "git/app-1a2b3c4d", "issue": None}, "git-app-1a2b3c4d-task"),
        ({"repo_folder": "../../etc"}, "etc-22"),
        ({"repo_folder": "a/b c\n/é"}, "a-b-c-22"),
    ],
)
def test_archive_is_named_after_repository_and_issue(changed: dict[str, Any], name: str) -> None:
    assert journal.archive_name(make_spec(**changed)) == name


def archived(home: Home) -> dict[str, str]:
    return {one.name: one.read_text("utf-8") for one in home.completed.iterdir()}


def test_archive_takes_the_log_along_and_leaves_an_empty_run_folder(home: Home) -> None:
    book = make_journal()
    ended = book.run.model_copy(update={"ended_at": NOW + timedelta(seconds=5)})
    journal.write(home, book)
    home.log.write_text("line\n", "utf-8")
    home.prompt.write_text("prompt", "utf-8")

    target = journal.archive(home, book.model_copy(update={"run": ended}), Redactor())

    assert target.name == "acme-app-22-20310506T070814Z.json"
    assert set(archived(home)) == {target.name, "acme-app-22-20310506T070814Z.log"}
    assert json.loads(archived(home)[target.name])["task"]["id"] == book.task.id
    assert archived(home)[target.with_suffix(".log").name] == "line\n"
    assert list(home.run.iterdir()) == []


def test_journal_stays_until_its_archive_is_written(home: Home) -> None:
    book = make_journal(outcome=make_outcome())
    journal.write(home, book)
    home.log.write_text("line\n", "utf-8")
    in_the_way = home.completed / "acme-app-22-20310506T070809Z.json"
    in_the_way.mkdir(parents=True)

    with pytest.raises(OSError, match="directory"):
        journal.archive(home, book, Redactor())
    kept = journal.read(home)
    in_the_way.rmdir()
    journal.archive(home, book, Redactor())

    assert kept == book
    assert set(archived(home)) == {in_the_way.name, f"{in_the_way.stem}.log"}


def test_archive_cut_off_in_the_middle_is_repeated_without_loss(home: Home) -> None:
    book = make_journal()
    home.log.write_text("line\n", "utf-8")
    first = journal.archive(home, book, Redactor())
    journal.write(home, book)  # as if the power had failed before the run folder was cleared

    second = journal.archive(home, book, Redactor())

    assert first == second
    assert archived(home)[first.with_suffix(".log").name] == "line\n"


def test_two_tasks_that_end_in_the_same_second_both_stay(home: Home) -> None:
    ids = []
    for text in ("one", "two"):
        book = make_journal(task=make_spec(issue=None))
        home.log.write_text(text, "utf-8")
        journal.archive(home, book, Redactor())
        ids.append(book.task.id)

    books = [json.loads(text) for name, text in archived(home).items() if name.endswith(".json")]
    assert sorted(one["task"]["id"] for one in books) == sorted(ids)
    assert sorted(t for n, t in archived(home).items() if n.endswith(".log")) == ["one", "two"]


def test_archive_has_no_secret_and_every_other_byte_in_its_place(home: Home) -> None:
    secret = "ghp_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9"
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nAbCd\n-----END RSA PRIVATE KEY-----\n"
    lines = [{"text": "before"}, {"text": f"it is {secret}", "n": 1}, {"text": "after: é"}]
    home.run.mkdir(exist_ok=True)
    home.log.write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
    home.errors.write_text(f"oh\n{key}dear\n", "utf-8")
    before = home.log.read_bytes()
    outcome = make_outcome(report=f"I used {secret}.")

    kept = journal.archive(home, make_journal(outcome=outcome), redactor({"X_TOKEN": secret}))

    log = kept.with_suffix(".log").read_bytes()
    assert secret not in kept.read_text("utf-8") + log.decode()
    assert len(log) == len(before)
    assert log.splitlines()[::2] == before.splitlines()[::2]
    assert json.loads(log.splitlines()[1])["n"] == 1
    errors = kept.with_suffix(".err").read_text("utf-8")
    assert (errors[:3], errors[-6:]) == ("oh\n", "\ndear\n")
    assert "MIIE" not in errors
    assert not list(home.completed.glob(".*"))
