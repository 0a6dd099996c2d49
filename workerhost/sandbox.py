"""The outer wall: bubblewrap around the whole agent, with only its HOME writable."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cw.errors import CwError
from cw.settings import Settings
from workerhost.layout import Home, in_place

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/nix")
_EMPTY = ("/tmp", "/var/tmp", "/run", "/home", "/root")  # noqa: S108  these are emptied, not used
_PROBE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Wall:
    """How agents of this host are kept in. `strict` false: not at all, and `reason` says why."""

    strict: bool
    reason: str
    bwrap: str = "bwrap"  # its full path: the agent's PATH must not choose it


def choose_wall(settings: Settings) -> Wall:
    """Raises CwError when strict isolation was asked for and bubblewrap does not work."""
    if settings.isolation == "none":
        return Wall(strict=False, reason="CW_ISOLATION=none")
    reason = bubblewrap_works()
    if reason and settings.isolation == "strict":
        raise CwError(f"CW_ISOLATION=strict, but {reason}", hint="cw doctor says how to get it")
    return Wall(strict=not reason, reason=reason, bwrap=shutil.which("bwrap") or "bwrap")


def bubblewrap_works() -> str:
    """Empty when it works here, else why not. Really starts one."""
    if not shutil.which("bwrap"):
        return "bubblewrap (bwrap) is not installed"
    probe = ["bwrap", *_namespaces(), "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    try:
        done = subprocess.run(
            [*probe, "true"],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start: {error}"
    return "" if done.returncode == 0 else f"bubblewrap does not work: {done.stderr.strip()[:200]}"


def wrap(
    argv: list[str],
    *,
    wall: Wall,
    home: Home,
    readable: tuple[Path, ...] = (),
    writable: tuple[Path, ...] = (),
    hidden: tuple[Path, ...] = (),
    cwd: Path | None = None,
) -> list[str]:
    """`argv` behind the wall. `readable` and `writable` are bound at their own places; what is
    `hidden` of HOME is empty inside.

    Nothing else of the machine is there: no other HOME, no /tmp, no /run, no broker's socket.
    The environment is the caller's to clear.
    """
    if not wall.strict:
        return argv
    command = [wall.bwrap, *_namespaces()]
    for path in _SYSTEM:
        command += ["--ro-bind-try", path, path]
    for path in _EMPTY:
        command += ["--tmpfs", path]
    command += ["--proc", "/proc", "--dev", "/dev"]
    command += _resolver()
    for one in readable:
        command += ["--ro-bind-try", str(one), str(one)]
    command += ["--bind", str(home.path), str(home.path)]
    for kind, own in _host_owned(home):
        command += [kind, str(own), str(own)]
    for one in hidden:
        command += ["--tmpfs", str(one)] if one.is_dir() else ["--dev-bind", os.devnull, str(one)]
    for one in writable:
        command += ["--bind", str(one), str(one)]
    return [*command, "--chdir", str(cwd or home.path), "--", *argv]


def readable_paths(settings: Settings, claude: Path | None, repo_path: str) -> tuple[Path, ...]:
    """What an agent may read beside the system and its HOME."""
    found = list(settings.sandbox_read)
    if claude:
        found += [claude, claude.resolve()]
    if repo_path:
        found.append(git_folder(Path(repo_path)))
    return tuple(dict.fromkeys(found))


def git_folder(repo: Path) -> Path:
    """The part of a repository that git needs: never its working tree."""
    inner = repo / ".git"
    if inner.is_file():  # a worktree or submodule points elsewhere
        target = inner.read_text("utf-8").partition("gitdir:")[2].strip()
        return _common((repo / target).resolve())
    return inner if inner.is_dir() else repo


def _common(git_dir: Path) -> Path:
    pointer = git_dir / "commondir"
    if not pointer.is_file():
        return git_dir
    return (git_dir / pointer.read_text("utf-8").strip()).resolve()


def _host_owned(home: Home) -> list[tuple[str, Path]]:
    """What lies in HOME but is not the agent's: the host's files, and what makes the next run's
    environment and rules. A link that an agent made in the place of one is not followed.
    """
    fixed = [
        home.run,
        home.completed,
        home.marker,
        home.zshenv,
        home.path / ".gitconfig",
        home.path / ".ssh",
        home.claude / "CLAUDE.md",
        home.claude / "settings.json",
    ]
    # A folder that only contains mounts could be moved out of the way, so .claude is one itself.
    found = [("--bind", home.claude), *(("--ro-bind", one) for one in fixed)]
    return [(kind, one) for kind, one in found if one.exists() and in_place(home, one)]


def _namespaces() -> list[str]:
    return ["--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]


def _resolver() -> list[str]:
    """/etc/resolv.conf often points below /run, which is empty inside."""
    real = Path("/etc/resolv.conf").resolve()
    return ["--ro-bind-try", str(real), str(real)] if real.is_relative_to("/run") else []
