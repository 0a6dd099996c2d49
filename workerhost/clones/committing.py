"""Whether an agent's git can commit in a HOME: tried once, behind the wall, before it matters."""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_hex

from cw.credentials.agentenv import agent_environment
from cw.credentials.logins import hidden_from_git, replaced
from cw.errors import CwError
from cw.homes.layout import Home
from cw.settings import Settings
from workerhost.agents.leftovers import OURS
from workerhost.clones.bounded import Limits, bounded
from workerhost.walls.isolation import Wall
from workerhost.walls.sandbox import View, wrap

_LIMITS = Limits(seconds=20, text=64 << 10)  # a signing program may wait for somebody
_TRY = (
    'git init -q --template= "$0" && git -C "$0" commit -q --allow-empty -m "Can it commit?";'
    ' said=$?; rm -rf "$0"; exit $said'
)
_WORDS = 300


def cannot_commit(home: Home, wall: Wall, settings: Settings, host_env: Mapping[str, str]) -> str:
    """git's words; empty when it can, or when it cannot be tried (the wall is missing, which is
    said elsewhere; the HOME of a host that is root was not taken over yet).
    """
    if wall.unfit or (wall.user and home.path.lstat().st_uid != wall.user.uid):
        return ""
    try:
        view = View(
            readable=settings.sandbox_read,
            hidden=hidden_from_git(home, settings),
            replaced=replaced(home, settings),
        )
        command = ["/bin/sh", "-c", _TRY, str(home.tmp / f"commit-{token_hex(4)}")]
        argv = wrap(command, wall, home, view)
        env = agent_environment(home, settings, host_env) | OURS
        done = bounded(argv, cwd=home.path, env=env, limits=_LIMITS)
    except (CwError, OSError) as error:
        return str(error)
    if done.ok:
        return ""
    return done.over or " ".join(done.err.split())[-_WORDS:] or "git does not say why"


def advice(home: Home) -> str:
    """What to type then."""
    return (
        f"Mend {home.path}/.gitconfig; to sign no commits: git config --file"
        f" {home.path}/.gitconfig commit.gpgsign false"
    )
