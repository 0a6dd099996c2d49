"""The inner wall: what claude's own sandbox and permissions let its tools do.

Made here for each run and read back before the start: claude takes a policy that it cannot use for
no policy, and says nothing.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cw.errors import CwError
from cw.homes.files import read_json, write_private
from cw.homes.layout import Home
from cw.settings import Settings
from cw.token_names import GITHUB_TOKENS, MODEL_KEYS
from workerhost.walls.network_access import tool_domains
from workerhost.walls.room import Room

_TOOLS = (
    "Bash",
    "Read(~/**)",
    "Edit(~/**)",
    "Task",
    "Skill",
    "TaskCreate",
    "TaskUpdate",
    "TaskList",
    "TaskGet",
    "TodoWrite",
)
# What it puts before the agent's eyes in a clone: devices that `git add --all` stumbles over.
_STUBS = (
    *("/.bash_profile", "/.bashrc", "/.profile", "/.zprofile", "/.zshrc", "/.gitconfig"),
    *("/.gitmodules", "/.mcp.json", "/.ripgreprc", "/.idea", "/.vscode", "/.claude/"),
)
_NUMBERS = {"userID", "machineID"}
_NUMBER = re.compile(r"[0-9a-f]{64}")
_STATE_BYTES = 1 << 20


def policy(room: Room, repo_url: str) -> dict[str, Any]:
    home = room.home
    domains = tool_domains(room.settings, repo_url)
    found: dict[str, Any] = {
        "permissions": {
            "defaultMode": "dontAsk",
            # It fetches in the claude process itself, outside the sandbox of Bash.
            "allow": [*_TOOLS, *(f"WebFetch(domain:{domain})" for domain in domains)],
            "deny": [*_shut(home), "Read(~/.zshenv)"],
        }
    }
    if room.wall.inner:
        found["sandbox"] = _sandbox(home, room.settings, domains)
    return found


def _sandbox(home: Home, settings: Settings, domains: list[str]) -> dict[str, Any]:
    """For Bash and whatever it starts."""
    hidden = MODEL_KEYS + (GITHUB_TOKENS if settings.github_access == "host" else ())
    own = [str(path) for path in (*home.host_owned, home.claude, _state(home))]
    return {
        "enabled": True,
        "failIfUnavailable": True,
        "allowUnsandboxedCommands": False,
        "filesystem": {
            "allowWrite": [str(home.path)],
            "denyWrite": own,
            "denyRead": [str(home.path.parent), str(home.zshenv)],
            "allowRead": [str(home.path)],
        },
        "network": {"allowedDomains": domains},
        "credentials": {"envVars": [{"name": name, "mode": "deny"} for name in hidden]},
    }


def _shut(home: Home) -> list[str]:
    """For the file tools, which are not in the sandbox."""
    names = [path.relative_to(home.path) for path in (*home.host_owned, home.claude, _state(home))]
    return [f"Edit(~/{name}{end})" for name in names for end in ("", "/**")]


def _state(home: Home) -> Path:
    """claude's own, with the tools it was allowed and the servers it starts."""
    return home.path / ".claude.json"


def write_policy(home: Home, made: dict[str, Any]) -> None:
    """Raises CwError unless what is on the disk is what was made."""
    write_private(home.policy, json.dumps(made).encode())
    if read_json(home.policy) != made:
        raise CwError(f"{home.policy} is not what was written into it")


def past_the_stubs(home: Home, env: Mapping[str, str]) -> dict[str, str]:
    """An environment in which git ignores what claude's sandbox puts into the clone."""
    write_private(home.ignored, "\n".join(_STUBS).encode() + b"\n")
    number = int(env.get("GIT_CONFIG_COUNT", "0"))
    return {
        **env,
        "GIT_CONFIG_COUNT": str(number + 1),
        f"GIT_CONFIG_KEY_{number}": "core.excludesFile",
        f"GIT_CONFIG_VALUE_{number}": str(home.ignored),
    }


def forget_what_was_allowed(home: Home) -> None:
    """claude's state is the one file of HOME that decides something (permissions, servers, programs
    to ask for a key, environment) and that what claude starts outside its sandbox can write: of it,
    only the numbers by which the API knows this claude are kept. Raises CwError.
    """
    state = _state(home)
    try:
        kept = {
            name: value
            for name, value in (_known(state) or {}).items()
            if name in _NUMBERS and isinstance(value, str) and _NUMBER.fullmatch(value)
        }
        if state.is_dir() and not state.is_symlink():
            # As large and as deep as its agent likes: to remove it could take for ever.
            state.rename(state.with_name(f"{state.name}.{uuid.uuid4().hex}"))
        state.unlink(missing_ok=True)
        if kept:
            write_private(state, json.dumps(kept).encode())
    except OSError as error:
        raise CwError(f"{state} cannot be cleaned: {error.strerror}") from error


def _known(state: Path) -> dict[str, Any] | None:
    return read_json(state, _STATE_BYTES)
