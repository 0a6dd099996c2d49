"""A clone as git sees it through a folder of the host's own: with its objects, refs and index, but
with none of its configuration, attributes, hooks and exclusions. So nothing that an agent wrote
names a program that the host's git would start.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cw.credentials.agentenv import default_identity
from cw.credentials.logins import plain_gitconfig
from cw.errors import WorkspaceError
from cw.homes.files import read_regular
from workerhost.clones.done import Done, need
from workerhost.clones.git import Bounds, Git
from workerhost.clones.host_repositories import scratch, write_open
from workerhost.clones.inspection import NotJudgedError, look

_HEAD_BYTES = 4096
_BRANCH = re.compile(r"ref: refs/heads/([^\x00-\x20\x7f~^:?*\[\\]+)\n")
_SHA = re.compile(r"[0-9a-f]{40,64}")
_LENT = ("objects", "refs", "packed-refs", "shallow")
_MOST_SHARED = 4  # parts of a split index
SHA256_DIGITS = 64
# Threads would each take 8 MB of what is bounded; what is not wanted is off by name as well.
GLOBAL = """\
[safe]
	directory = *
[core]
	hooksPath = /dev/null
	fsmonitor = false
	untrackedCache = false
	splitIndex = false
	preloadIndex = false
	attributesFile = /dev/null
	excludesFile = /dev/null
	bigFileThreshold = 16m
	deltaBaseCacheLimit = 32m
	commitGraph = false
	multiPackIndex = false
[pack]
	threads = 1
	windowMemory = 32m
[index]
	threads = 1
[gc]
	auto = 0
[maintenance]
	auto = false
[submodule]
	recurse = false
[fetch]
	recurseSubmodules = false
	writeCommitGraph = false
[credential]
	helper =
[protocol "ext"]
	allow = never
[commit]
	gpgSign = false
"""
# git-lfs is the host's own program, as git is. It goes nowhere: what is not there stays a pointer.
# With --skip (3.3) it would leave pointers also of what is.
_LFS = """\
[lfs]
	storage = "{storage}"
	url = http://127.0.0.1:9
	locksverify = false
	skipdownloaderrors = true
[lfs "transfer"]
	maxretries = 1
	maxretrydelay = 1
[filter "lfs"]
	clean = git-lfs clean -- %f
	smudge = git-lfs smudge -- %f
	process = git-lfs filter-process
	required = true
"""
_USUAL = Bounds()


@dataclass(frozen=True, slots=True)
class Lens:
    """`branch`: what the clone's HEAD stands on; empty when on none. `git_dir`: its `.git`."""

    git: Git
    folder: Path
    clone: Path
    branch: str
    git_dir: Path

    def run(
        self,
        *args: str,
        bounds: Bounds = _USUAL,
        index: str = "index",
        readable: tuple[Path, ...] = (),
    ) -> Done:
        """`index`: which file of the clone's .git."""
        env = {
            "GIT_DIR": str(self.folder),
            "GIT_WORK_TREE": str(self.clone),
            "GIT_INDEX_FILE": str(self.git_dir / index),
            "GIT_CONFIG_GLOBAL": str(self.folder / "global"),
            **_identity(self.git),
        }
        seen = (self.folder, *readable)
        return self.git.inside(*args, at=self.clone, env=env, readable=seen, bounds=bounds)

    def need(self, *args: str, bounds: Bounds = _USUAL, index: str = "index") -> str:
        """Raises WorkspaceError, also TooLargeError."""
        return need(self.run(*args, bounds=bounds, index=index), args[0]).strip()

    def stand_on(self, sha: str) -> None:
        """On no branch: git would lock HEAD to move the one that it stands on."""
        write_open(self.folder / "HEAD", f"{sha}\n")


def _identity(git: Git) -> Mapping[str, str]:
    """Whose commits of uncommitted work are: the host's."""
    name, mail = default_identity(git.home)
    roles = ("AUTHOR", "COMMITTER")
    return {f"GIT_{role}_{what}": value for role in roles for what, value in _both(name, mail)}


def _both(name: str, mail: str) -> tuple[tuple[str, str], ...]:
    return (("NAME", name), ("EMAIL", mail))


@contextmanager
def lens(
    git: Git, clone: Path, *, unlock: bool = False, git_dir: Path | None = None
) -> Iterator[Lens]:
    """`unlock`: without the locks of a git that was killed, as no other works here now; no ref's
    name ends like that. `git_dir`: of a submodule, which has it elsewhere. Raises WorkspaceError
    for a clone that git is not asked about.
    """
    theirs = git_dir or clone / ".git"
    locks = look(git.home, theirs)
    head = _head(theirs)
    for lock in locks if unlock else ():
        lock.unlink(missing_ok=True)
    with scratch(git.settings, git.home, "lens") as folder:
        _make(git, folder, theirs, head)
        named = _BRANCH.fullmatch(head)
        yield Lens(git, folder, clone, named[1] if named else "", theirs)


def _head(theirs: Path) -> str:
    try:
        head = read_regular(theirs / "HEAD", _HEAD_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise NotJudgedError(f"{theirs / 'HEAD'} cannot be read") from error
    if not (_BRANCH.fullmatch(head) or _SHA.fullmatch(head.strip())):
        raise NotJudgedError(f"{theirs / 'HEAD'} says nothing that git would write")
    return head


def _make(git: Git, folder: Path, theirs: Path, head: str) -> None:
    try:
        write_open(folder / "HEAD", head)
        write_open(folder / "config", _config(theirs))
        more = _LFS.format(storage=theirs / "lfs") if has_lfs(git) else ""
        write_open(folder / "global", f"{global_config(git)}{more}")
        for name in _LENT:
            (folder / name).symlink_to(theirs / name)
        for part in sorted(theirs.glob("sharedindex.*"))[:_MOST_SHARED]:
            (folder / part.name).symlink_to(part)
    except OSError as error:
        raise WorkspaceError(f"{folder} cannot be made: {error.strerror}") from error


def has_lfs(git: Git) -> bool:
    return bool(shutil.which("git-lfs", path=git.env.get("PATH", "")))


def global_config(git: Git) -> str:
    """Ours after the worker's: the last one counts."""
    plain = plain_gitconfig(git.home).read_text(encoding="utf-8", errors="replace")
    return f"{plain}{GLOBAL}"


def _config(theirs: Path) -> str:
    """Of the clone's own only which kind of hash it has, as nothing can be read without."""
    sha256 = is_sha256(theirs)
    return config(sha256=sha256, more="\tlogAllRefUpdates = false\n")


def config(*, sha256: bool, bare: bool = False, more: str = "") -> str:
    """`more`: of [core], and other sections."""
    version, kind = (1, "[extensions]\n\tobjectFormat = sha256\n") if sha256 else (0, "")
    core = f"\trepositoryformatversion = {version}\n\tbare = {str(bare).lower()}\n"
    return f"[core]\n{core}{more}{kind}"


def is_sha256(repository: Path) -> bool:
    """By its configuration's text, whoever wrote that: a wrong answer only makes git fail."""
    try:
        text = read_regular(repository / "config", 1 << 20).decode("utf-8", "replace")
    except OSError:
        return False
    return bool(re.search(r"^\s*objectformat\s*=\s*sha256\s*$", text, re.IGNORECASE | re.MULTILINE))
