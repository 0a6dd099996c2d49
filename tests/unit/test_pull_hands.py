"""Which words and deeds of people mean hands off."""

from __future__ import annotations

from typing import Any

import pytest

from cw.pulls.hands import is_optional, says_stop, still_released, whose
from tests.unit.pulling import make_look


@pytest.mark.parametrize(
    "body",
    [
        "stop",
        "Stop!",
        "Please stop.",
        "STOP working on this, please",
        "I take it from here.",
        "Thanks for the start. I'll take it from here!",
        "I\u2019ll take over",
        "I will take this over now",
        "I'm handling it",
        "I am on it",
        "@bot stop",
        "@cw-app[bot] please stop now",
        "hold off",
        "Hands off, please",
        "**stop**",
        "> what was said before\n\nstop",
        "line one\r\nstop\r\nline three",
    ],
)
def test_request_to_stop_is_heard(body: str) -> None:
    assert says_stop(body)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "stop using tabs here",
        "This will stop the server",
        "nonstop",
        "> stop",
        "```\nstop\n```",
        "~~~\nstop\n~~~",
        "<!-- stop -->",
        "<!-- never ended\nstop",
        "The stop() call is missing",
        "can you take it from here?",
        "The bus stop",
        "I'm happy with it",
    ],
)
def test_other_words_are_none(body: str) -> None:
    assert not says_stop(body)


@pytest.mark.parametrize(
    ("body", "optional"),
    [
        ("nit: a space", True),
        ("Nitpick: naming", True),
        ("(optional) rename it", True),
        ("**nit** two", True),
        ("Optional: say why", True),
        ("This is wrong", False),
        ("Unite these", False),
        ("nitrogen is missing", False),
    ],
)
def test_nits_are_optional(body: str, optional: bool) -> None:
    assert is_optional(body) is optional


@pytest.mark.parametrize(
    ("look", "stops", "released", "words"),
    [
        ({}, {}, (), []),
        ({}, {"C1": "ann said so"}, (), ["ann said so"]),
        ({}, {"C1": "ann said so"}, ("C1",), []),
        ({"labels": ("bug",)}, {}, (), []),
        ({"labels": ("claude-pr-steward-watching",)}, {}, (), ["it carries claude-pr-steward-"]),
        ({"labels": ("Claude-Ship-Ready",)}, {}, (), ["it carries Claude-Ship-Ready"]),
        ({"labels": ("claude-ship-x",)}, {}, ("label:claude-ship-x",), []),
        ({"assignees": ("ann",)}, {}, (), ["it is assigned to ann"]),
        ({"assignees": ("Bot",)}, {}, (), []),
        ({"assignees": ("ann", "ben")}, {}, ("assigned:ann",), ["it is assigned to ben"]),
    ],
)
def test_whose_it_is(
    look: dict[str, Any], stops: dict[str, str], released: tuple[str, ...], words: list[str]
) -> None:
    found = list(whose(make_look(**look), stops, released).values())

    assert len(found) == len(words)
    assert all(said.startswith(start) for said, start in zip(found, words, strict=True))


def test_label_that_was_let_go_counts_again_when_it_comes_back() -> None:
    released = ("C1", "label:claude-ship-x", "assigned:ann")

    assert still_released(make_look(labels=("claude-ship-x",)), released) == released[:2]
    assert still_released(make_look(assignees=("ann",)), released) == ("C1", "assigned:ann")
