"""The run that most facts are read from: every kind of tool call once, then an answer."""

import json
from dataclasses import dataclass
from pathlib import Path

from tests.contract.room import Ended, Room
from tests.standins.messages import Turn, Usage, bash, text, together, tool, write

PROMPT = (
    b"--help \"quoted\" 'and' \xc3\xa9\xf0\x9f\x99\x82 \xe2\x80\x94\t$HOME `x`\r\n\n  - \\n\n\n"
)
LAST_USAGE = Usage(
    input_tokens=5_000,
    output_tokens=1_000,
    cache_read_input_tokens=7_000,
    cache_creation_input_tokens=3_000,
)
SESSION_OF_SHELL = "cut -d' ' -f6 /proc/self/stat"


@dataclass(frozen=True)
class Ordinary:
    room: Room
    ended: Ended
    inside: Path
    outside: Path


def ordinary_run(room: Room, outside: Path) -> Ordinary:
    instructions(room)
    inside = room.work / "inside.txt"
    ended = room.run(*turns(inside, outside), prompt=PROMPT)
    return Ordinary(room, ended, inside, outside)


def instructions(room: Room) -> None:
    """HOME and the repository each bring instructions and a hook that leaves a file."""
    for folder, whose in ((room.home, "home"), (room.work, "repository")):
        hidden = folder / ".claude"
        hidden.mkdir(exist_ok=True)
        hook = {"type": "command", "command": f"touch {room.home}/hook-of-{whose}"}
        settings = {"hooks": {"SessionStart": [{"hooks": [hook]}]}}
        (hidden / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    home_rules, repository_rules = room.home / ".claude" / "CLAUDE.md", room.work / "CLAUDE.md"
    home_rules.write_text("RULES-OF-HOME", encoding="utf-8")
    repository_rules.write_text("RULES-OF-REPOSITORY", encoding="utf-8")


def turns(inside: Path, outside: Path) -> list[Turn]:
    return [
        together(text("Looking."), bash(SESSION_OF_SHELL), bash(SESSION_OF_SHELL)),
        bash("echo $(printf by-bash) | cat > by-bash.txt"),
        write(str(inside), "inside"),
        write(str(outside), "outside"),
        tool("TaskCreate", {"subject": "Build", "description": "It", "activeForm": "Building"}),
        tool("TaskUpdate", {"taskId": "1", "status": "completed"}),
        text("Finished.", usage=LAST_USAGE),
    ]
