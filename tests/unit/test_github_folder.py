"""What GitHub runs and asks here: nothing that changes under us, no more rights than are needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.needs import require

FOLDER = Path(__file__).parents[2] / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))
FORMS = [one for one in sorted((FOLDER / "ISSUE_TEMPLATE").glob("*.yml")) if one.stem != "config"]


def read(path: Path) -> dict[Any, Any]:
    try:
        import yaml
    except ImportError:
        yaml = None
    require(yaml, "PyYAML")
    found: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_may_only_read_has_no_secret_and_ends(path: Path) -> None:
    workflow = read(path)

    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in path.read_text("utf-8")
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        assert job["timeout-minutes"] <= 120


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_action_is_named_by_its_commit_and_leaves_no_login_behind(path: Path) -> None:
    steps = [step for job in read(path)["jobs"].values() for step in job["steps"]]
    used = [step for step in steps if "uses" in step]

    assert used
    for step in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
        if step["uses"].startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_what_strangers_send_is_never_run_with_the_rights_of_the_repository() -> None:
    triggers = {name for path in WORKFLOWS for name in read(path)[True]}  # YAML's word for "on"

    assert triggers <= {"push", "pull_request"}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_form_has_what_github_asks_of_it(path: Path) -> None:
    form = read(path)
    fields = [one for one in form["body"] if one["type"] != "markdown"]

    assert {"name", "description", "body"} <= form.keys()
    assert len({one["id"] for one in fields}) == len(fields) > 0
    assert all(one["attributes"]["label"] for one in fields)
