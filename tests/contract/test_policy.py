"""What claude lets the agent do, and which instructions it sends."""

import os

import pytest

from tests.contract.ordinary import Ordinary
from tests.contract.room import Room
from tests.needs import require
from tests.standins.messages import bash, read, text


def test_bash_with_substitution_and_pipe_is_allowed(ordinary: Ordinary) -> None:
    made = ordinary.room.work / "by-bash.txt"

    assert made.read_text(encoding="utf-8") == "by-bash\n"


def test_write_below_home_is_allowed(ordinary: Ordinary) -> None:
    assert ordinary.inside.read_text(encoding="utf-8") == "inside"


def test_write_outside_home_is_denied_and_listed(ordinary: Ordinary) -> None:
    denials = ordinary.ended.result["permission_denials"]
    denied = [(one["tool_name"], one["tool_input"]["file_path"]) for one in denials]

    assert denied == [("Write", str(ordinary.outside))]
    assert ordinary.ended.answers("Write")[1]["is_error"] is True
    assert not ordinary.outside.exists()


def test_read_outside_home_is_denied(room: Room) -> None:
    secret = room.home.parent / "secret-of-another"
    secret.write_text("SECRET-OF-ANOTHER", encoding="utf-8")
    ended = room.run(read(str(secret)), text("Done."))

    assert ended.answers("Read")[0]["is_error"] is True
    assert "SECRET-OF-ANOTHER" not in ended.requests[-1].text


def test_file_named_with_at_sign_in_the_prompt_is_sent_whatever_the_policy(room: Room) -> None:
    """Only the outer sandbox keeps an issue's text from reading other files this way."""
    secret = room.home.parent / "secret-for-mention"
    secret.write_text("SECRET-BY-MENTION", encoding="utf-8")
    ended = room.run(text("Done."), prompt=f"Please see @{secret} about it.")

    assert "SECRET-BY-MENTION" in ended.requests[0].text


def test_instructions_of_home_are_sent(ordinary: Ordinary) -> None:
    assert "RULES-OF-HOME" in ordinary.ended.requests[0].text


def test_instructions_of_the_repository_are_not_sent(ordinary: Ordinary) -> None:
    assert "RULES-OF-REPOSITORY" not in ordinary.ended.requests[-1].text


def test_hooks_of_home_run_and_those_of_the_repository_do_not(ordinary: Ordinary) -> None:
    home = ordinary.room.home

    assert (home / "hook-of-home").exists()
    assert not (home / "hook-of-repository").exists()


def test_appended_system_prompt_is_sent(ordinary: Ordinary) -> None:
    assert "WORDS-APPENDED-TO-THE-SYSTEM-PROMPT" in ordinary.ended.requests[0].text


def test_root_may_run_it(ordinary: Ordinary) -> None:
    require(os.geteuid() == 0, "to be root")

    assert ordinary.ended.rc == 0


def test_to_do_tools_are_offered_when_enabled(ordinary: Ordinary) -> None:
    offered = set(ordinary.ended.init["tools"])

    assert {"TaskCreate", "TaskUpdate", "TaskList", "TaskGet"} <= offered


def test_to_do_tools_without_the_switch(room: Room) -> None:
    ended = room.run(text("Done."), env={"CLAUDE_CODE_ENABLE_TODO_TOOLS": None})

    assert ("TaskCreate" in ended.init["tools"]) in room.claude.differs(old=True, new=False)
    assert "TodoWrite" not in ended.init["tools"]


def test_bash_runs_the_shell_of_the_environment(room: Room) -> None:
    ended = room.run(bash("echo ${BASH_VERSION:+bash} $HOME $TMPDIR"), text("Done."))

    assert ended.answers("Bash")[0]["content"] == f"bash {room.home} {room.home}/tmp"


@pytest.mark.parametrize("flag", ["--settings", "--append-system-prompt-file"])
def test_missing_file_is_refused_before_anything_is_sent(room: Room, flag: str) -> None:
    ended = room.run(text("Done."), flags=[flag, "/nonexistent"])

    assert (ended.rc, ended.lines, ended.requests) == (1, [], [])
    assert "file not found" in ended.err
