"""The call of claude: its arguments, its environment, and what it keeps of a conversation."""

from __future__ import annotations

from pathlib import Path

from cw.homes.layout import Home
from workerhost.claude.policy import past_the_stubs
from workerhost.programs.runner import Command, Launch
from workerhost.walls.room import Room


def command(room: Room, launch: Launch) -> Command:
    home = room.home
    kept = (transcript(home, launch.cwd, launch.session).parent, _todo_list(home, launch.session))
    return Command(
        argv=[*headless(home, launch), *_limits(launch)],
        env=environment(room, launch.env),
        kept=kept,
    )


def headless(home: Home, launch: Launch) -> list[str]:
    """The prompt comes on stdin: an argument ends at 128 KiB."""
    which = ["--resume", launch.session] if launch.resume else ["--session-id", launch.session]
    return [
        str(launch.binary),
        "-p",
        "--output-format",
        "stream-json",
        "--verbose",
        "--model",
        launch.model,
        *which,
        "--settings",
        str(home.policy),
        "--setting-sources",
        # The repository's hooks would run outside claude's sandbox.
        "user,project" if launch.trusted else "user",
        "--strict-mcp-config",  # no servers of the repository's .mcp.json, nor any other
        "--permission-mode",
        "dontAsk",
        "--append-system-prompt-file",
        str(home.system_prompt),
    ]


def _limits(launch: Launch) -> list[str]:
    """What claude itself looks after, in this process alone; both are checked after a turn."""
    turns, usd = launch.max_turns, launch.max_usd
    return [
        *(["--max-turns", str(turns)] if turns else []),
        *(["--max-budget-usd", f"{usd:g}"] if usd else []),
    ]


def environment(room: Room, env: dict[str, str]) -> dict[str, str]:
    return past_the_stubs(room.home, env) if room.wall.inner else env


def transcript(home: Home, cwd: Path, session: str) -> Path:
    """Where claude keeps a conversation: in a folder named after its working directory."""
    mangled = "".join(char if char.isalnum() and char.isascii() else "-" for char in str(cwd))
    return home.claude / "projects" / mangled / f"{session}.jsonl"


def conversation(home: Home, cwd: Path, session: str) -> tuple[Path, ...]:
    """The folder beside the transcript has those of its subagents, and long results of tools
    (claude 2.1.202).
    """
    file = transcript(home, cwd, session)
    return file, file.with_suffix(""), _todo_list(home, session)


def _todo_list(home: Home, session: str) -> Path:
    return home.claude / "tasks" / session
