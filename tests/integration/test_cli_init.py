"""`cw init`: all or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Cw


def test_init_without_a_broker_makes_homes_and_names_what_is_missing(
    cw: Cw, cw_environ: dict[str, str]
) -> None:
    done = cw("init", "01..02")

    assert done.returncode == 0
    assert "the host registers them when it starts" in done.stdout
    assert "GH_TOKEN is missing" in done.stderr
    assert "claude cannot log in" in done.stderr
    root = Path(cw_environ["CW_WORKERS_ROOT"])
    assert sorted(one.name for one in root.iterdir()) == ["01", "02"]


def test_one_existing_home_stops_all(cw: Cw, cw_environ: dict[str, str]) -> None:
    cw("init", "02")

    done = cw("init", "01..03", "--json")

    assert done.returncode == 2
    assert done.stdout == ""
    assert "already exists" in done.stderr
    assert [one.name for one in Path(cw_environ["CW_WORKERS_ROOT"]).iterdir()] == ["02"]


@pytest.mark.parametrize("name", ["../../etc", "A", "a b", "-x", "01..", "x" * 33])
def test_bad_id_makes_nothing(cw: Cw, cw_environ: dict[str, str], name: str) -> None:
    done = cw("init", "--", "01", name)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not Path(cw_environ["CW_WORKERS_ROOT"]).exists()


def test_json_of_init_has_names_of_tokens_only(cw: Cw) -> None:
    done = cw("init", "01", "--json", CLAUDE_CODE_OAUTH_TOKEN="secret-1", GH_TOKEN="secret-2")

    (row,) = json.loads(done.stdout)
    assert row["tokens"] == ["GH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"]
    assert row["missing"] == []
    assert row["registered"] is False
    assert "secret" not in done.stdout + done.stderr
