"""The prompt, handed over as a regular file on stdin."""

from tests.contract.ordinary import PROMPT, Ordinary
from tests.contract.room import Room
from tests.standins.messages import Request, text

MEGABYTE = ("Each line of this long prompt says nothing new.\n" * 25_000)[:1_000_000]


def prompt_in(request: Request) -> str:
    """The last block of the first message; reminders of claude's own come before it."""
    said: str = request.messages[0]["content"][-1]["text"]
    return said


def test_prompt_arrives_byte_for_byte(ordinary: Ordinary) -> None:
    """Leading dashes, quotes, CRLF, trailing newlines: all kept, nothing added."""
    assert prompt_in(ordinary.ended.requests[0]).encode() == PROMPT


def test_empty_prompt_is_refused(room: Room) -> None:
    ended = room.run(text("Done."), prompt="")

    assert (ended.rc, ended.lines, ended.requests) == (1, [], [])
    assert "Input must be provided" in ended.err


def test_prompt_that_begins_with_a_slash_is_taken_as_a_command(room: Room) -> None:
    """So our prompts begin with words of our own."""
    ended = room.run(text("Done."), prompt="/clear\nand then fix the issue")

    assert (ended.rc, ended.requests) == (0, [])


def test_megabyte_reaches_the_model_with_the_long_window(room: Room) -> None:
    ended = room.run(text("Done."), prompt=MEGABYTE, model="sonnet[1m]")

    assert ended.result["is_error"] is False
    assert prompt_in(ended.requests[0]) == MEGABYTE


def test_megabyte_with_plain_sonnet(room: Room) -> None:
    """Old: 200,000 tokens, refused before anything is sent. New: sonnet has the long window."""
    ended = room.run(text("Done."), prompt=MEGABYTE)

    refused = (1, "Prompt is too long", "blocking_limit", 0)
    sent = (0, "Done.", "completed", 1)
    got = (ended.rc, ended.result["result"], ended.result["terminal_reason"], len(ended.requests))
    assert got in room.claude.differs(old=refused, new=sent)
