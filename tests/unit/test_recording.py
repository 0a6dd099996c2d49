"""The picture of a terminal in the README: what it is made of, and the one that is there."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bench.recording.film import Frame, film
from bench.recording.screen import Screen, Style

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "demo.svg"
_SVG = "{http://www.w3.org/2000/svg}"


def text(screen: Screen) -> list[str]:
    return ["".join(one for one, _ in line) for line in screen.lines]


def test_screen_shows_what_a_terminal_would() -> None:
    screen = Screen(10)

    screen.write("\x1b[32mgreen\x1b[0m\r\nworking…\r\x1b[Kdone\r\n")
    screen.write("\x1b]8;id=1;http://x/\x1b\\0123456789ab\x1b]8;;\x1b\\")

    assert text(screen) == ["green", "done", "0123456789", "ab"]
    assert {style for _, style in screen.lines[0]} == {Style(colour=32)}
    assert {style for _, style in screen.lines[1]} == {Style()}


def test_screen_refuses_what_it_cannot_show() -> None:
    with pytest.raises(ValueError, match="CSI 2J"):
        Screen(10).write("\x1b[2J")


def test_film_draws_each_line_once_and_has_no_script() -> None:
    usual = Style()
    one, other = (("<", usual), ("a", usual)), (("b", Style(bold=True)),)

    root = ET.fromstring(film([Frame((one,), 1), Frame((one, other), 2)], 10, 5, "Two frames"))  # noqa: S314  our own

    drawn = root.findall(f"{_SVG}defs/{_SVG}g")
    assert ["".join(each.itertext()) for each in drawn] == ["<a", "b"]
    assert [each.get("href") for each in root.iter(f"{_SVG}use")] == ["#l0", "#l0", "#l1"]
    assert not list(root.iter(f"{_SVG}script"))


def test_picture_is_small_and_tells_nothing_of_who_made_it() -> None:
    picture = PICTURE.read_text(encoding="utf-8")

    ET.fromstring(picture)  # noqa: S314  our own
    assert len(picture.encode()) < 200_000
    for word in ("/home/", "/root", "/Users/", "/tmp/cw-demo.", "<script"):
        assert word not in picture
    assert "prefers-reduced-motion" in picture
