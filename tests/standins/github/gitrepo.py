"""A bare repository on disk, through git's own commands. No remote, no work tree."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

EPOCH = "1704067200 +0000"  # fixed, so that seeded commits have the same ids in every run
BOT = "GitHub <noreply@github.localhost>"
EXECUTABLE, PLAIN = "100755", "100644"


@dataclass(frozen=True, kw_only=True)
class Commit:
    sha: str
    author: str
    email: str
    at: str  # ISO
    message: str


@dataclass(frozen=True, kw_only=True)
class ChangedFile:
    path: str
    additions: int
    deletions: int


def git_env() -> dict[str, str]:
    """The caller's environment without anything that could steer git elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    return kept | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}


def git(path: Path, *args: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> str:
    return _run(path, *args, stdin=stdin, env=env, check=True).stdout.decode(errors="replace")


def _run(
    path: Path,
    *args: str,
    stdin: bytes = b"",
    env: dict[str, str] | None = None,
    check: bool = False,
) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(path), *args]
    environment = git_env() | (env or {})
    return subprocess.run(command, input=stdin, env=environment, check=check, capture_output=True)


def create(path: Path, files: dict[str, str], branch: str = "main") -> None:
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--bare", f"--initial-branch={branch}")
    _serve_over_http(path)
    if files:
        commit_files(path, branch, files, "Initial commit")


def copy(path: Path, source: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    git(path.parent, "clone", "--quiet", "--bare", "--no-hardlinks", str(source), str(path))
    git(path, "remote", "remove", "origin")
    _serve_over_http(path)


def _serve_over_http(path: Path) -> None:
    git(path, "config", "http.receivepack", "true")
    git(path, "config", "uploadpack.allowFilter", "true")
    git(path, "config", "gc.auto", "0")


def default_branch(path: Path) -> str:
    return git(path, "symbolic-ref", "--short", "HEAD").strip()


def commit_files(
    path: Path, branch: str, files: dict[str, str], message: str, merged: str = ""
) -> str:
    """Add or replace files on the branch in one commit, starting it at HEAD if it is new. `merged`:
    a branch whose head is its other parent, and whose files are as they are given here.
    """
    text = message.encode()
    stream = [f"commit refs/heads/{branch}\ncommitter {BOT} {EPOCH}\ndata {len(text)}\n".encode()]
    stream += [text, b"\n"]
    start = head(path, branch) or head(path, default_branch(path))
    if start:
        stream.append(f"from {start}\n".encode())
    if merged:
        stream.append(f"merge {head(path, merged)}\n".encode())
    for name, content in sorted(files.items()):
        data = content.encode()
        mode = EXECUTABLE if content.startswith("#!") else PLAIN
        stream += [f"M {mode} inline {name}\ndata {len(data)}\n".encode(), data, b"\n"]
    git(path, "fast-import", "--quiet", "--done", stdin=b"".join([*stream, b"done\n"]))
    return head(path, branch) or ""


def heads(path: Path) -> dict[str, str]:
    lines = git(path, "for-each-ref", "--format=%(objectname) %(refname:strip=2)", "refs/heads")
    return {name: sha for sha, _, name in (line.partition(" ") for line in lines.splitlines())}


def head(path: Path, branch: str) -> str | None:
    return resolve(path, f"refs/heads/{branch}")


def resolve(path: Path, name: str) -> str | None:
    done = _run(path, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return done.stdout.decode().strip() or None


def fetch_between(path: Path, source: Path, sha: str, ref: str) -> None:
    """Bring a commit of another repository on the same disk over and keep it under ref."""
    if path == source:
        git(path, "update-ref", ref, sha)
        return
    configured = ["-c", "uploadpack.allowAnySHA1InWant=true"]
    git(path, *configured, "fetch", "--quiet", "--no-tags", str(source), f"+{sha}:{ref}")


def is_ancestor(path: Path, old: str, new: str) -> bool:
    return _run(path, "merge-base", "--is-ancestor", old, new).returncode == 0


def merge_base(path: Path, one: str, other: str) -> str | None:
    return _run(path, "merge-base", one, other).stdout.decode().strip() or None


def commits_between(path: Path, base: str, tip: str) -> list[Commit]:
    """Oldest first."""
    form = "%H%x1f%an%x1f%ae%x1f%aI%x1f%B%x1e"
    text = git(path, "log", "--reverse", f"--format={form}", f"{base}..{tip}")
    commits = []
    for record in text.split("\x1e"):
        if record.strip():
            sha, author, email, at, message = record.strip("\n").split("\x1f")
            commits.append(
                Commit(sha=sha, author=author, email=email, at=at, message=message.strip())
            )
    return commits


def changed_files(path: Path, base: str, tip: str) -> list[ChangedFile]:
    text = git(path, "diff", "--numstat", "--no-renames", f"{base}...{tip}")
    rows = [re.split(r"\t", line, maxsplit=2) for line in text.splitlines()]
    return [
        ChangedFile(path=name, additions=_count(added), deletions=_count(deleted))
        for added, deleted, name in rows
    ]


def diff(path: Path, base: str, tip: str) -> str:
    return git(path, "diff", f"{base}...{tip}")


def _count(text: str) -> int:
    return int(text) if text.isdigit() else 0  # "-" for binary files


def merged_tree(path: Path, base: str, tip: str) -> str | None:
    """The tree a merge gives; None on conflict."""
    done = _run(path, "merge-tree", "--write-tree", base, tip)
    return done.stdout.decode().split("\n")[0] if done.returncode == 0 else None


def merge(path: Path, base_ref: str, tip: str, message: str, *, squash: bool) -> str | None:
    """Merge into the branch and return the new commit; None on conflict."""
    base = head(path, base_ref)
    tree = merged_tree(path, base, tip) if base else None
    if base is None or tree is None:
        return None
    parents = ["-p", base] if squash else ["-p", base, "-p", tip]
    sha = git(path, "commit-tree", tree, *parents, stdin=message.encode(), env=by_github()).strip()
    git(path, "update-ref", f"refs/heads/{base_ref}", sha, base)
    return sha


def by_github() -> dict[str, str]:
    """The environment of a commit of its own."""
    name, _, mail = BOT.partition(" <")
    return {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", name), ("EMAIL", mail.rstrip(">")))
    }


def delete_branch(path: Path, branch: str) -> None:
    git(path, "update-ref", "-d", f"refs/heads/{branch}")


def read_file(path: Path, revision: str, name: str) -> str | None:
    done = _run(path, "show", f"{revision}:{name}")
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
