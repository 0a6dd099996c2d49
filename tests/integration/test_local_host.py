"""What `cw` asks of the host's side of this machine: answers as they come, errors as our own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cw.cli.local_host import ask_local
from cw.errors import BadInputError, CwError
from cw.homes.home import make_home, templates_dir


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(tmp_path),
        "CW_WORKERS_ROOT": str(tmp_path / "workers"),
        "CW_STATE_DIR": str(tmp_path / "state"),
        "CW_ISOLATION": "none",
    }


def test_question_that_nobody_answers_names_those_that_are(environ: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match="nobody asks 'weather' here") as refused:
        list(ask_local(environ, "weather"))

    assert "doctor, commits, changes" in refused.value.hint


def test_bad_setting_is_an_error_of_what_was_typed(environ: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match="CW_LEASE_TTL"):
        list(ask_local(environ | {"CW_LEASE_TTL": "soon"}, "doctor"))


def test_what_nobody_foresaw_says_how_to_see_it(environ: dict[str, str]) -> None:
    """`changes` wants a worker and a task."""
    with pytest.raises(CwError, match="exit status 1") as failed:
        list(ask_local(environ, "changes"))

    assert "workerhost.local changes" in failed.value.hint


def test_each_answer_that_was_given_is_heard_and_the_end_is_a_good_one(
    environ: dict[str, str],
) -> None:
    make_home(Path(environ["CW_WORKERS_ROOT"]), "01", {}, templates_dir())

    assert list(ask_local(environ, "commits")) == []


def test_one_may_stop_listening(environ: dict[str, str]) -> None:
    first = next(ask_local(environ, "doctor"))

    assert first["name"] == "claude"
