"""What a host's disk holds is asked for page by page, and its answers are not trusted."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cw.errors import CwError
from cw.homes.layout import Home
from cw.homes.pages import archives_page, log_page
from cw.operations.fleet.ask import Part
from cw.operations.fleet.remote_disk import archives, changes, log, todo_list
from cw.redaction.redact import Redactor, redactor

Answer = Callable[..., dict[str, Any]]


def no_pause() -> None:
    raise AssertionError


def answers(*pages: dict[str, Any]) -> Answer:
    """These, one after the other."""
    left = list(pages)
    return lambda *_, **__: left.pop(0)


def page(data: bytes, offset: int, *, end: bool, live: bool = False) -> dict[str, Any]:
    return {"data": base64.b64encode(data).decode(), "offset": offset, "end": end, "live": live}


def test_log_is_asked_for_until_its_end() -> None:
    asked: list[int] = []

    def answer(verb: str, *, part: Part) -> dict[str, Any]:
        asked.append(part.offset)
        text = b"abc"[part.offset : part.offset + 1]
        return page(text, part.offset + 1, end=part.offset == 2, live=True)

    assert b"".join(one.data for one in log(answer, "T", follow=False, pause=no_pause)) == b"abc"
    assert asked == [0, 1, 2]


def test_followed_log_pauses_only_at_its_end_and_goes_on_while_it_lives() -> None:
    pauses: list[None] = []
    answer = answers(
        page(b"a", 1, end=False, live=True),
        page(b"b", 2, end=True, live=True),
        page(b"", 2, end=True, live=True),
        page(b"c", 3, end=True),
    )

    found = log(answer, "T", follow=True, pause=lambda: pauses.append(None))
    read = b"".join(one.data for one in found)

    assert (read, len(pauses)) == (b"abc", 2)


def test_archives_are_asked_for_only_as_far_as_they_are_read() -> None:
    pages = [{"archives": [{"n": 1}, {"n": 2}], "end": False}, {"archives": [], "end": False}]

    rows = archives(answers(*pages[:1]))
    assert [next(rows), next(rows)] == [{"n": 1}, {"n": 2}]
    assert list(archives(answers(*pages))) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("said", [{}, {"task": 1}, {"diff": None}])
def test_answer_that_is_none_is_our_error(said: dict[str, Any]) -> None:
    with pytest.raises(CwError, match="not understood"):
        changes(answers(said), "T")


def test_answer_of_a_newer_host_is_read_as_far_as_it_is_known() -> None:
    todo = {"number": 1, "subject": "Look", "status": "pending", "colour": "red"}

    assert [one.subject for one in todo_list(answers({"todos": [todo]}), "T")] == ["Look"]
    assert todo_list(answers({"todos": None}), "T") == []


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path / "01")
    found.run.mkdir(parents=True)
    found.completed.mkdir()
    return found


def test_log_of_a_run_that_is_being_prepared_is_empty_but_lives(home: Home) -> None:
    home.journal.write_text('{"task": {"id": "T"}}')

    assert log_page(home, "T", 0, 9, Redactor()) == {
        "data": "",
        "offset": 0,
        "end": True,
        "live": True,
    }
    assert not log_page(home, "OTHER", 0, 9, Redactor())["live"]


def test_archives_come_in_pages_of_one_task(home: Home) -> None:
    for number in range(5):
        path = home.completed / f"{number}.json"
        path.write_text(f'{{"task": {{"id": "T{number % 2}"}}, "n": {number}}}')
        os.utime(path, (number, number))

    first = archives_page(home, "T0", 0, 2)

    assert ([one["n"] for one in first["archives"]], first["end"]) == ([4, 2], False)
    assert [one["n"] for one in archives_page(home, "T0", 2, 2)["archives"]] == [0]
    assert archives_page(home, "", 0, 9)["end"]


@pytest.mark.parametrize("limit", [1, 7, 16, 1000])
def test_pages_of_a_log_have_no_secret_however_they_are_cut(home: Home, limit: int) -> None:
    secret = "ghp_7dK2mQ9xV4tB1nR8wZ5cH3jL6pS0yF2gA4eU"
    raw = f'{{"text": "one {secret} two"}}\n{{"text": "three"}}\n'.encode()
    home.log.write_bytes(raw)
    clean, pages, offset, end = redactor({"GH_TOKEN": secret}), b"", 0, False
    while not end:
        page = log_page(home, "", offset, limit, clean)
        pages, offset, end = pages + base64.b64decode(page["data"]), page["offset"], page["end"]

    assert pages == raw.replace(secret.encode(), b"[redacted]".ljust(len(secret), b"*"))


def test_line_that_is_still_being_written_is_not_given_yet(home: Home) -> None:
    home.journal.write_text('{"task": {"id": "T"}}')
    home.log.write_bytes(b'{"n": 1}\n{"text": "ghp_7dK2')

    page = log_page(home, "T", 0, 1000, Redactor())

    assert base64.b64decode(page["data"]) == b'{"n": 1}\n'
    assert (page["offset"], page["end"], page["live"]) == (9, True, True)
