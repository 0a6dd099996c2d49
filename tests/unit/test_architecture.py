"""The pictures in docs/ are what the code is now, and the pages name files that are there."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bench.architecture.__main__ import ROOT, made
from bench.architecture.contracts import all_layers, started
from bench.architecture.table import put

AGAIN = "run: script/draw-architecture"
PAGES = [
    ROOT / "docs" / "architecture.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "AGENTS.md",
    *sorted((ROOT / "docs" / "decisions").glob("*.md")),
]
TOPS = "cw|workerhost|tests|bench|script|deploy|docs|templates|examples"


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return made(ROOT)


def test_pictures_and_table_are_what_the_script_makes(files: dict[str, str]) -> None:
    old = [name for name, text in files.items() if (ROOT / name).read_text("utf-8") != text]

    assert not old, AGAIN


def test_every_layer_of_the_contracts_is_drawn(files: dict[str, str]) -> None:
    picture = ET.fromstring(files["docs/pictures/rooms.svg"])  # noqa: S314  we made it
    drawn = {one.text for one in picture.iter("{http://www.w3.org/2000/svg}text")}

    for layers in all_layers(ROOT).values():
        assert {name for row in layers.rows for name in row} <= drawn
    assert set(started(ROOT)) == {"workerhost", "workerhost.local"}
    assert set(started(ROOT)) <= drawn


def test_page_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no"):
        put("# A page\n", "| a table |")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_that_a_page_names_are_there(page: Path) -> None:
    named = re.findall(rf"`((?:{TOPS})/[\w./-]*)`", page.read_text("utf-8"))

    assert [one for one in named if not (ROOT / one).exists()] == []
