"""Which agent programs there are, and what is made of one that is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cw.errors import BadInputError, CwError
from cw.homes.archives import agent_of
from cw.homes.layout import Home
from cw.programs.known import program_named, program_of, reader
from cw.settings import Settings
from tests.making import NOW
from tests.standins.plain_agent.runner import PLAIN
from workerhost.agents.readiness import fitness, lacks_inner
from workerhost.claude.runner import CLAUDE
from workerhost.lastword import LastWord
from workerhost.programs.known import runner_of


def register(site: Path, name: str, value: str) -> None:
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[cw.agents]\n{name} = {value}\n", "utf-8")


def test_claude_is_what_agents_are_when_nobody_says_otherwise() -> None:
    assert program_of(Settings()).name == runner_of(Settings()).name == "claude"
    assert runner_of(Settings()) is CLAUDE


def test_unknown_program_is_refused_with_those_that_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(tmp_path, "other", "other.program:OTHER")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(BadInputError) as refused:
        program_of(Settings(agent_program="nobody"))

    assert refused.value.hint == "Known: claude, other"


def test_program_whose_package_is_broken_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(tmp_path, "broken", "no_such_package:X")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(CwError, match="the agent program broken cannot be loaded"):
        program_named("broken")


def test_log_of_a_program_that_is_gone_is_read_as_text() -> None:
    (event,) = reader("gone")(b"turn\t1\n", 7, NOW)

    assert (event.kind, event.text, event.offset) == ("note", "turn\t1", 7)


@pytest.mark.parametrize(
    ("kept", "agent"),
    [
        ({"run": {"agent": "plain"}}, "plain"),
        ({"run": {}}, "claude"),
        ({"run": "odd"}, "claude"),
        (None, "claude"),
    ],
)
def test_log_is_of_the_program_that_its_archive_names(
    tmp_path: Path, kept: object, agent: str
) -> None:
    home, log = Home(tmp_path), tmp_path / "completed" / "acme-app-1.log"
    log.parent.mkdir()
    if kept is not None:
        log.with_suffix(".json").write_text(json.dumps(kept), "utf-8")

    assert agent_of(home, log) == agent


@pytest.mark.parametrize("isolation", ["strict", "claude"])
def test_inner_wall_is_not_to_be_had_without_a_sandbox_of_its_own(isolation: str) -> None:
    settings = Settings(isolation=isolation)

    assert "CW_ISOLATION=outer" in fitness(PLAIN, settings, {}).unfit
    assert lacks_inner(CLAUDE, settings) == ""
    assert lacks_inner(PLAIN, Settings(isolation="outer")) == ""


def test_program_that_does_not_tell_its_last_word_ends_with_its_process() -> None:
    word = LastWord(None)

    word.add(b'{"type":"result"}\n')

    assert word.at == 0.0
