"""What in a HOME logs in somewhere, and how agents are kept from it that are to have no login."""

from __future__ import annotations

import os
from pathlib import Path

from cw.credentials.agentenv import default_identity
from cw.credentials.gitconfig import listed, written
from cw.errors import CwError
from cw.homes.files import write_private
from cw.homes.layout import Home, in_place
from cw.settings import Settings

# claude's own login is not among them: without it there is no agent.
_LOGINS = (
    *(".zshenv", ".ssh", ".git-credentials", ".netrc", "_netrc", ".config/gh", ".config/git"),
    *(".config/hub", ".config/glab-cli", ".config/gcloud", ".aws", ".azure", ".kube", ".gnupg"),
    *(".docker/config.json", ".config/containers/auth.json", ".npmrc", ".yarnrc.yml", ".pypirc"),
    *(".config/pip", ".pip", ".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials"),
    *(".m2/settings.xml", ".gradle/gradle.properties", ".composer/auth.json", ".pgpass"),
    *(".terraform.d/credentials.tfrc.json", ".vault-token", ".password-store"),
)
_HARMLESS = (
    *("user.name", "user.email", "init.defaultbranch", "core.autocrlf", "core.eol"),
    *("pull.rebase", "pull.ff", "push.default", "merge.conflictstyle", "diff.algorithm"),
)


def hidden_logins(home: Home, settings: Settings) -> tuple[Path, ...]:
    """What an agent without access must not see of its HOME. Raises CwError for a link among it:
    what it leads to would stay in sight.
    """
    found = _there(home, settings)
    for path in found:
        if not in_place(home, path):
            raise CwError(
                f"{path} is a link and cannot be hidden from the agent",
                hint="Put the file itself there, or remove the link",
            )
    return found


def hidden_from_git(home: Home, settings: Settings) -> tuple[Path, ...]:
    """The same, from what a clone has the host's own git start. A link that an agent left is only
    passed over: a run has to come to its end.
    """
    return tuple(path for path in _there(home, settings) if in_place(home, path))


def _there(home: Home, settings: Settings) -> tuple[Path, ...]:
    if settings.github_access != "host":
        return ()
    return tuple(home.path / name for name in _LOGINS if (home.path / name).exists())


def replaced(home: Home, settings: Settings) -> tuple[tuple[Path, Path], ...]:
    """What such an agent sees in place of its .gitconfig, as (what, where): a URL, a header or a
    helper in there may be a login.
    """
    real = home.path / ".gitconfig"
    if settings.github_access != "host" or not real.is_file() or not in_place(home, real):
        return ()
    return ((plain_gitconfig(home), real),)


def plain_gitconfig(home: Home) -> Path:
    """A file with the name, the mail and the harmless settings of the worker's .gitconfig."""
    real, made = home.path / ".gitconfig", home.run / "gitconfig"
    if not real.is_file() or not in_place(home, real):
        real = Path(os.devnull)
    if not made.exists() or made.stat().st_mtime_ns <= real.stat().st_ctime_ns:
        home.run.mkdir(mode=0o700, exist_ok=True)
        write_private(made, _harmless(home, real).encode())
    return made


def _harmless(home: Home, config: Path) -> str:
    name, mail = default_identity(home)
    values = {"user.name": name, "user.email": mail}
    values |= {key: value for key, value in listed(("--file", str(config))) if _kept(key, value)}
    return written(values.items())


def _kept(key: str, value: str) -> bool:
    return key in _HARMLESS and bool(value)
