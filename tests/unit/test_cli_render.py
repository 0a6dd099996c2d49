"""How things look, and what agents cannot do to a terminal."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cw.cli.views.render import (
    Column,
    duration,
    moment,
    money,
    one_line,
    rich_table,
    table,
)
from cw.escapes import escape_control


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;ZXZpbA==\x07done", "done"),
        ("a\x1bPq...\x1b\\b", "ab"),
        ("\x9b2Jgone", "gone"),
        ("a\rb\x08c\x7f", "abc"),
        ("\u202efdp.exe", "fdp.exe"),
        ("line\n\ttab ½ 😀", "line\n\ttab ½ 😀"),
        ("\x1bcreset", "reset"),
    ],
)
def test_what_a_terminal_would_obey_is_taken_out(raw: str, clean: str) -> None:
    assert escape_control(raw) == clean


@given(st.text(alphabet=st.characters(max_codepoint=0x2FF) | st.sampled_from("\x1b[]m;\x07\x9b")))
def test_no_control_survives(text: str) -> None:
    left = set(escape_control(text)) - {"\n", "\t"}

    assert not [one for one in left if ord(one) < 32 or 127 <= ord(one) < 160]


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0, "0s"), (59.9, "59s"), (312, "5m 12s"), (11100, "3h 05m"), (187200, "2d 4h")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
    if seconds is not None:
        assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("usd", "text"), [(None, ""), (0, "$0.00"), (0.004, "<$0.01"), (1234.5, "$1,234.50")]
)
def test_money(usd: float | None, text: str) -> None:
    assert money(usd) == text


def test_moments_get_longer_with_distance() -> None:
    now = datetime(2026, 5, 8, 12, tzinfo=UTC).astimezone()

    lengths = [len(moment(now - timedelta(days=days), now)) for days in (0, 2, 40)]

    assert lengths == [5, 9, 16]
    assert moment(None, now) == ""


def test_plain_table_cuts_nothing_and_leaves_empty_columns_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    columns = [Column("id"), Column("empty"), Column("n", right=True), Column("text", gives=True)]

    table(columns, [["01", "", "7", "x" * 200], ["docs", "", "12", "a\nb"]])

    assert capsys.readouterr().out.splitlines() == [
        "id     n  text",
        f"01     7  {'x' * 200}",
        "docs  12  a b",
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_fifty_workers_take_fifty_lines_of_a_narrow_terminal(width: int) -> None:
    columns = [
        Column("worker"),
        Column("state", state=True),
        Column("task", gives=True),
        Column("title", gives=True),
        Column("time", right=True),
        Column("last", gives=True),
    ]
    row = [
        "busy",
        "some-owner/some-repository#1234",
        "A [bold]title[/] " * 9,
        "12m 03s",
        "Bash " * 40,
    ]
    out = io.StringIO()

    rich_table(columns, [[f"{one:02}", *row] for one in range(50)], out, width=width)

    lines = out.getvalue().splitlines()
    assert len(lines) == 51
    assert max(map(len, lines)) <= width
    assert lines[1].startswith("00")
    assert "busy" in lines[50]
    assert "12m 03s" in lines[50]
    assert "[bold]" in lines[1]
