"""The environment of an agent and of git: built from an allow-list, never inherited."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from cw.credentials.gitconfig import identity
from cw.homes.files import read_regular
from cw.homes.layout import Home, stays_inside
from cw.settings import Settings
from cw.token_names import GITHUB_TOKENS, github_login

_FROM_HOST = ("LANG", "LC_ALL", "TZ")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_FROM_VARIABLE = (
    '!f() { test "$1" = get && test -n "$GH_TOKEN" && echo username=x-access-token'
    ' && echo "password=$GH_TOKEN"; }; f'
)
# Read at each call: the host puts a new token there before the old one ends.
_FROM_FILE = (
    '!f() { test "$1" = get && test -s "$GH_CONFIG_DIR/token" && echo username=x-access-token'
    ' && echo "password=$(cat "$GH_CONFIG_DIR/token")"; }; f'
)


def own_variables(home: Home) -> dict[str, str]:
    """What the worker's .zshenv sets. `export NAME=value` lines; nothing is executed."""
    real = home.zshenv.resolve()  # a link of the person's own to another file of HOME
    if not stays_inside(home, real):
        return {}
    try:
        text = read_regular(real).decode()
    except (OSError, UnicodeDecodeError):
        return {}
    values = dotenv_values(stream=StringIO(text), interpolate=False)
    return {name: value for name, value in values.items() if value and not _loader(name)}


def agent_environment(
    home: Home, settings: Settings, host_env: Mapping[str, str]
) -> dict[str, str]:
    """Everything the agent's process sees. An own variable wins over a passed one."""
    passed = (*_FROM_HOST, *settings.agent_env)
    env = {name: host_env[name] for name in passed if name in host_env and not _loader(name)}
    env.setdefault("LANG", "C.UTF-8")
    env["PATH"] = search_path(settings, host_env)
    env |= own_variables(home)
    if settings.github_access == "host" or settings.github_app_id:
        env = {name: value for name, value in env.items() if name not in GITHUB_TOKENS}
    # In ~/.config an agent could leave a profile that leads the next one to another API.
    env.setdefault("ANTHROPIC_CONFIG_DIR", str(home.run / "anthropic"))
    env |= {
        "HOME": str(home.path),
        "USER": home.id,
        "LOGNAME": home.id,
        "GIT_CONFIG_GLOBAL": str(home.path / ".gitconfig"),  # not what an agent left in ~/.config
        "SHELL": "/bin/bash",  # claude prefers zsh when it is installed
        "TMPDIR": str(home.tmp),
        "CLAUDE_CODE_TMPDIR": str(home.tmp),  # otherwise all workers of a user share one folder
        "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1",  # newer versions hide them in headless runs
        "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",  # what a run writes there, the next one is told
        "DISABLE_AUTOUPDATER": "1",  # a version changes when its owner says so
        "GH_PROMPT_DISABLED": "1",
        "GH_NO_UPDATE_NOTIFIER": "1",
        "GH_TELEMETRY": "0",
        "DO_NOT_TRACK": "1",
        **_identity(home, env),
        **_github(home, settings),
    }
    return env


def _github(home: Home, settings: Settings) -> dict[str, str]:
    """How the agent's gh and git log in, if they may."""
    if settings.github_access == "host":
        return git_environment(settings, "")
    if settings.github_app_id:
        return {"GH_CONFIG_DIR": str(home.github)} | git_environment(settings, _FROM_FILE)
    return git_environment(settings, _FROM_VARIABLE)


def remote_environment(home: Home, settings: Settings, token: str) -> dict[str, str]:
    """For the host's own git when it talks to GitHub, to be laid over an agent's environment.

    It reads no configuration that an agent could have written: one could lead the token elsewhere.
    """
    return {
        "GH_TOKEN": token,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CEILING_DIRECTORIES": str(home.path),
    } | git_environment(settings, _FROM_VARIABLE)


def own_token(home: Home | None) -> str:
    """The worker's, with which its agents write when there is no App. Empty: it has none."""
    own = own_variables(home) if home else {}
    return github_login(own)


def git_environment(settings: Settings, helper: str) -> dict[str, str]:
    """git without questions, giving the token to GitHub only, and never writing it down. Without a
    helper it asks nobody.
    """
    key = f"credential.{settings.github_url}.helper"
    logins = [(key, ""), (key, helper)] if helper else [("credential.helper", ""), (key, "")]
    pairs = [*logins, ("safe.directory", "*"), ("gc.auto", "0")]
    env = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_COUNT": str(len(pairs))}
    for number, (name, value) in enumerate(pairs):
        env[f"GIT_CONFIG_KEY_{number}"] = name
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    return env


def _loader(name: str) -> bool:
    """Variables that would make bubblewrap itself, outside its own wall, load code."""
    return name.startswith(("LD_", "DYLD_", "GLIBC_")) or name == "GCONV_PATH"


def search_path(settings: Settings, host_env: Mapping[str, str]) -> str:
    """The host's PATH as far as agents can see it: system folders and `sandbox_read`."""
    wanted = [folder for folder in host_env.get("PATH", "").split(os.pathsep) if folder]
    seen = [folder for folder in wanted if _visible(Path(folder), settings.sandbox_read)]
    ours = [str(gh.parent) for gh in own_gh(settings)[:1]]  # the last: the system's own counts
    return os.pathsep.join(dict.fromkeys([*seen, *_PATH.split(os.pathsep), *ours]))


def own_gh(settings: Settings) -> tuple[Path, ...]:
    """gh as it came with cw (`claude-workers[gh]`), and where that leads. Only with the outer wall:
    behind it nothing else of that folder is there.
    """
    path = gh_beside()
    if settings.isolation not in {"strict", "outer"} or path is None:
        return ()
    return path, path.resolve()


def gh_beside() -> Path | None:
    """gh in the folder of programs of this installation, if it is there."""
    path = Path(sys.prefix) / "bin" / "gh"
    return path if os.access(path, os.X_OK) else None


def _visible(folder: Path, extra: tuple[Path, ...]) -> bool:
    system = (Path("/usr"), Path("/bin"), Path("/sbin"), Path("/opt"), Path("/nix"))
    return any(folder.is_relative_to(above) for above in (*system, *extra))


def _identity(home: Home, env: Mapping[str, str]) -> dict[str, str]:
    """git refuses to commit without a name and a mail; what the worker's .gitconfig says is better.
    A file with nothing but `[sendemail] email` says neither.
    """
    own = identity(home.path / ".gitconfig", home.path)
    found = {}
    for what, value in zip(("name", "email"), default_identity(home), strict=True):
        for role in ("author", "committer"):
            variable = f"GIT_{role}_{what}".upper()
            if not (variable in env or own.get(f"{role}.{what}") or own.get(f"user.{what}")):
                found[variable] = value
    return found


def default_identity(home: Home) -> tuple[str, str]:
    """Name and mail."""
    return f"Claude worker {home.id}", f"worker-{home.id}@claude-workers.invalid"
