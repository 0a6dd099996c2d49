"""Where the prompt comes from, and when standard input is left alone."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from cw.cli.arguments.prompt import is_ignored, read_prompt
from cw.errors import BadInputError
from cw.names import MAX_PROMPT_BYTES


@pytest.fixture
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source, os.fdopen(writer, "wb", buffering=0) as sink:
        yield source, sink


def test_text_is_taken_as_given() -> None:
    assert read_prompt(" Fix\n\tit ½ ", None, has_issue=True) == " Fix\n\tit ½ "


def test_no_input_at_all_is_no_prompt() -> None:
    assert read_prompt(None, None, has_issue=False) == ""
    with Path(os.devnull).open("rb") as null:
        assert read_prompt(None, null, has_issue=False) == ""


def test_terminal_is_not_read() -> None:
    master, slave = os.openpty()
    with os.fdopen(slave, "rb", buffering=0) as terminal:
        found = read_prompt(None, terminal, has_issue=False)
    os.close(master)

    assert found == ""


def test_pipe_is_read_to_its_end(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    source, sink = pipe
    sink.write("Fix it ½\n".encode())
    sink.close()

    assert read_prompt(None, source, has_issue=False) == "Fix it ½\n"


def test_empty_pipe_is_no_prompt_unless_one_was_asked_for(
    pipe: tuple[BinaryIO, BinaryIO],
) -> None:
    source, sink = pipe
    sink.close()

    assert read_prompt(None, source, has_issue=False) == ""
    with pytest.raises(BadInputError, match="empty"):
        read_prompt("-", source, has_issue=True)


def test_file_beside_an_issue_is_left_for_the_loop_it_belongs_to(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("1\n2\n", "utf-8")
    with (tmp_path / "list").open("rb") as listing:
        assert read_prompt(None, listing, has_issue=True) == ""
        assert listing.read() == b"1\n2\n"


def test_open_pipe_beside_an_issue_does_not_block(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    source, sink = pipe

    assert read_prompt(None, source, has_issue=True) == ""
    assert not is_ignored(source)
    sink.write(b"text")
    assert is_ignored(source)


def test_closed_empty_pipe_is_not_called_ignored(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    source, sink = pipe
    sink.close()

    assert not is_ignored(source)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"a\0b", "NUL"),
        (b"\xff\xfe", "UTF-8"),
        (b" \n", "empty"),
        (b"x" * (MAX_PROMPT_BYTES + 1), "longer than"),
        (b"x" * (2 * MAX_PROMPT_BYTES), "longer than"),
    ],
)
def test_what_cannot_reach_an_agent_whole_is_refused(tmp_path: Path, raw: bytes, says: str) -> None:
    (tmp_path / "prompt").write_bytes(raw)

    with (tmp_path / "prompt").open("rb") as file, pytest.raises(BadInputError, match=says):
        read_prompt("-", file, has_issue=True)


def test_longest_prompt_is_taken(tmp_path: Path) -> None:
    (tmp_path / "prompt").write_bytes(b"x" * MAX_PROMPT_BYTES)
    with (tmp_path / "prompt").open("rb") as file:
        assert len(read_prompt("-", file, has_issue=False)) == MAX_PROMPT_BYTES


def test_argument_that_is_not_text_is_refused() -> None:
    with pytest.raises(BadInputError, match="UTF-8"):
        read_prompt("caf\udce9", None, has_issue=False)
