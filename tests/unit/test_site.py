"""The docs can be built as a site: links stay within them, every page is listed, hooks are CI's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.needs import require

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def read_yaml(path: Path) -> dict[str, Any]:
    try:
        import yaml
    except ImportError:
        yaml = None
    require(yaml, "PyYAML")
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_links_of_a_page_lead_to_files_of_the_docs(page: Path) -> None:
    links = re.findall(r"\]\((?!\w+:)([^)#\s]+)", page.read_text("utf-8"))
    targets = [(page.parent / one).resolve() for one in links]

    assert [one for one in targets if not (one.is_file() and one.is_relative_to(DOCS))] == []


def test_every_page_is_listed() -> None:
    site = read_yaml(ROOT / "mkdocs.yml")
    listed = {path for one in site["nav"] for path in one.values()}
    decisions = (DOCS / "decisions" / "README.md").read_text("utf-8")

    assert site["strict"] is True
    assert listed == {one.name for one in DOCS.glob("*.md")} | {"decisions/README.md"}
    for one in (DOCS / "decisions").glob("[0-9]*.md"):
        assert f"]({one.name})" in decisions


def test_hooks_of_a_commit_are_the_parts_of_lint() -> None:
    (local,) = read_yaml(ROOT / ".pre-commit-config.yaml")["repos"]
    parts = re.findall(r"^    (\w+)\)", (ROOT / "script" / "lint").read_text("utf-8"), re.MULTILINE)

    assert [one["entry"] for one in local["hooks"]] == [f"script/lint {one}" for one in parts]
