"""What is kept of a job's log: its end, as a person reads it."""

from __future__ import annotations

import pytest

from cw.forges.repairing import LOG_CHARS
from cw.github.job_log import log_end

TIME = "2026-07-01T10:00:00.1234567Z "


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (f"\ufeff{TIME}one\n{TIME}two\n", "one\ntwo"),
        (f"{TIME}\x1b[31mFAILED\x1b[0m tests/test_a.py\n", "FAILED tests/test_a.py"),
        (f"{TIME}  indented\r\n{TIME}\n{TIME}end\r\n", "  indented\n\nend"),
        (f"{TIME}10 %\r20 %\r100 %\n", "100 %"),
        (f"{TIME}it says 2026-07-01T10:00:00Z\n", "it says 2026-07-01T10:00:00Z"),
        ("without times\n", "without times"),
        ("", ""),
    ],
)
def test_log_is_without_times_and_colours(raw: str, kept: str) -> None:
    assert log_end(raw.encode()) == kept


def test_nothing_is_kept_of_cleaning_up_after_the_last_error() -> None:
    lines = ["##[error]first", "more", "##[error]Process completed", "Post job cleanup.", "git"]

    assert log_end("\n".join(lines).encode()).splitlines() == lines[:3]


def test_newest_whole_lines_are_kept() -> None:
    lines = [f"line {at:05}" for at in range(5000)]

    kept = log_end("\n".join(lines).encode()).splitlines()

    assert kept == lines[-len(kept) :]
    assert LOG_CHARS - 20 < len("\n".join(kept)) <= LOG_CHARS


def test_one_endless_line_is_kept_by_its_end() -> None:
    kept = log_end(b"x" * 20_000 + b"the end")

    assert len(kept) == LOG_CHARS
    assert kept.endswith("the end")


def test_bytes_that_are_no_text_are_no_trouble() -> None:
    assert log_end(b"a\xff\xfeb") == "a\ufffd\ufffdb"
