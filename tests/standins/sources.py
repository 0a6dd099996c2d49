"""Repositories on this machine, in the shapes that git and the tools around it leave behind.

Each maker gets an empty folder and returns what a person would type after `-r`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

Maker = Callable[[Path], Path]
_ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "Person"),
    **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "person@example.invalid"),
}


def git(at: Path, *args: str) -> str:
    anywhere = ("-c", "protocol.file.allow=always")
    done = subprocess.run(
        ["git", *anywhere, *args], cwd=at, env=_ENV, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def plain(root: Path, name: str = "app", *how: str) -> Path:
    path = root / name
    git(root, "init", "-q", "-b", "main", *how, str(path))
    (path / "README.md").write_text("# App\n", "utf-8")
    git(path, "add", ".")
    git(path, "commit", "-q", "-m", "First")
    return path


def bare(root: Path) -> Path:
    git(root, "clone", "-q", "--bare", str(plain(root)), "app.git")
    return root / "app.git"


def worktree(root: Path) -> Path:
    git(plain(root), "worktree", "add", "-q", "-b", "feature", str(root / "tree"))
    return root / "tree"


def worktree_inside(root: Path) -> Path:
    git(plain(root), "worktree", "add", "-q", "-b", "feature", ".trees/feature")
    return root / "app" / ".trees" / "feature"


def worktree_of_bare(root: Path) -> Path:
    git(bare(root), "worktree", "add", "-q", "-b", "feature", str(root / "tree"))
    return root / "tree"


def worktree_with_relative_paths(root: Path) -> Path:
    """As git 2.48 writes them, if asked."""
    tree = worktree(root)
    (tree / ".git").write_text("gitdir: ../app/.git/worktrees/tree\n", "utf-8")
    return tree


def shared(root: Path) -> Path:
    git(root, "clone", "-q", "--shared", str(plain(root)), "borrower")
    return root / "borrower"


def borrowing_from_a_borrower(root: Path) -> Path:
    git(root, "clone", "-q", "--shared", str(shared(root)), "third")
    return root / "third"


def worktree_of_a_borrower(root: Path) -> Path:
    git(shared(root), "worktree", "add", "-q", "-b", "feature", str(root / "tree"))
    return root / "tree"


def alternate_by_a_relative_quoted_name(root: Path) -> Path:
    path = shared(root)
    (root / "app").rename(root / 'the "first" app')
    listed = path / ".git" / "objects" / "info" / "alternates"
    listed.write_text('# whose\n"../../../the \\"first\\" app/.git/objects"\n', "utf-8")
    return path


def alternate_through_a_link(root: Path) -> Path:
    path = shared(root)
    (root / "link").symlink_to("app")
    listed = path / ".git" / "objects" / "info" / "alternates"
    listed.write_text(f"{root}/link/.git/objects\n", "utf-8")
    return path


def submodule(root: Path) -> Path:
    outer = plain(root, "outer")
    git(outer, "submodule", "add", "-q", str(plain(root, "lib")), "lib")
    git(outer, "commit", "-q", "-m", "Add lib")
    return outer / "lib"


def separate_git_dir(root: Path) -> Path:
    return plain(root, "app", f"--separate-git-dir={root / 'kept.git'}")


def linked_git_dir(root: Path) -> Path:
    path = plain(root)
    (path / ".git").rename(root / "kept")
    (path / ".git").symlink_to("../kept")
    return path


def linked_objects(root: Path) -> Path:
    """As repo, Android's tool, keeps them."""
    path = plain(root)
    (path / ".git" / "objects").rename(root / "objects")
    (path / ".git" / "objects").symlink_to("../../objects")
    return path


def new_workdir(root: Path) -> Path:
    """As contrib/git-new-workdir makes it."""
    first, path = plain(root) / ".git", root / "second"
    (path / ".git").mkdir(parents=True)
    for name in ("config", "refs", "objects", "info", "logs"):
        (path / ".git" / name).symlink_to(first / name)
    shutil.copy(first / "HEAD", path / ".git" / "HEAD")
    return path


def link_to_it(root: Path) -> Path:
    plain(root)
    (root / "link").symlink_to("app")
    return root / "link"


def sha256(root: Path) -> Path:
    return plain(root, "app", "--object-format=sha256")


def shallow(root: Path) -> Path:
    first = plain(root)
    git(first, "commit", "-q", "--allow-empty", "-m", "Second")
    git(root, "clone", "-q", "--depth=1", f"file://{first}", "shallow")
    return root / "shallow"


def repository_in_another(root: Path) -> Path:
    return plain(plain(root), "inner")


def odd_name(root: Path) -> Path:
    return plain(root, "an app: ü 'x' \"y\" #1 %41?*[z]")


WORK: dict[str, Maker] = {
    one.__name__: one
    for one in (
        plain,
        bare,
        worktree,
        worktree_inside,
        worktree_of_bare,
        worktree_with_relative_paths,
        shared,
        borrowing_from_a_borrower,
        worktree_of_a_borrower,
        alternate_by_a_relative_quoted_name,
        alternate_through_a_link,
        submodule,
        separate_git_dir,
        linked_git_dir,
        linked_objects,
        new_workdir,
        link_to_it,
        sha256,
        shallow,
        repository_in_another,
        odd_name,
    )
}


def detached(root: Path) -> Path:
    path = plain(root)
    git(path, "checkout", "-q", "--detach")
    return path


def detached_worktree(root: Path) -> Path:
    git(plain(root), "worktree", "add", "-q", "--detach", str(root / "tree"))
    return root / "tree"


def unborn(root: Path) -> Path:
    path = plain(root)
    git(path, "symbolic-ref", "HEAD", "refs/heads/nowhere")
    return path


def without_a_commit(root: Path) -> Path:
    git(root, "init", "-q", "app")
    return root / "app"


def of_another_user(root: Path) -> Path:
    """Needs root."""
    path = plain(root)
    for one in (path, *path.rglob("*")):
        os.chown(one, 65534, 65534)
    return path


def lender_gone(root: Path) -> Path:
    path = shared(root)
    shutil.rmtree(root / "app")
    return path


def lender_of_the_lender_gone(root: Path) -> Path:
    path = borrowing_from_a_borrower(root)
    shutil.rmtree(root / "app")
    return path


def worktree_of_nothing(root: Path) -> Path:
    path = worktree(root)
    (root / "app").rename(root / "moved")
    return path


def dangling_git_dir(root: Path) -> Path:
    path = linked_git_dir(root)
    shutil.rmtree(root / "kept")
    return path


def pointer_to_no_repository(root: Path) -> Path:
    path = plain(root)
    shutil.rmtree(path / ".git")
    (path / ".git").write_text(f"gitdir: {root}\n", "utf-8")
    return path


def pointer_without_words(root: Path) -> Path:
    path = plain(root)
    shutil.rmtree(path / ".git")
    (path / ".git").write_bytes(b"\0\xff\n")
    return path


def link_to_a_worktrees_folder(root: Path) -> Path:
    worktree(root)
    path = root / "odd"
    path.mkdir()
    (path / ".git").symlink_to(root / "app" / ".git" / "worktrees" / "tree")
    return path


def partial(root: Path) -> Path:
    first = plain(root)
    git(first, "config", "uploadpack.allowFilter", "true")
    git(root, "clone", "-q", "--filter=blob:none", "--bare", f"file://{first}", "part.git")
    return root / "part.git"


def unknown_extension(root: Path) -> Path:
    path = plain(root)
    git(path, "config", "core.repositoryFormatVersion", "1")
    git(path, "config", "extensions.refStorage", "of-the-future")
    return path


def newer_format(root: Path) -> Path:
    path = plain(root)
    git(path, "config", "core.repositoryFormatVersion", "9")
    return path


def broken_config(root: Path) -> Path:
    path = plain(root)
    (path / ".git" / "config").write_text("[broken\n", "utf-8")
    return path


def folder_of_a_repository(root: Path) -> Path:
    (plain(root) / "lib").mkdir()
    return root / "app" / "lib"


def control_characters(root: Path) -> Path:
    return plain(root, "app\n\033[31m")


def bytes_that_are_no_text(root: Path) -> Path:
    return plain(root, os.fsdecode(b"app-\xff"))


# What each is refused with.
REFUSED: dict[Maker, str] = {
    detached: "HEAD is detached",
    detached_worktree: "HEAD is detached",
    unborn: "names a branch that has no commit",
    without_a_commit: "has no branch yet",
    of_another_user: "belongs to nobody",
    lender_gone: "app/.git/objects, where none are",
    lender_of_the_lender_gone: "app/.git/objects, where none are",
    worktree_of_nothing: "git worktree repair",
    dangling_git_dir: "is not there",
    pointer_to_no_repository: "is not a git repository",
    pointer_without_words: "names no repository",
    link_to_a_worktrees_folder: "a link to a worktree's folder",
    partial: "partial clone",
    unknown_extension: "refstorage",
    newer_format: "found 9",
    broken_config: "bad config line 1",
    folder_of_a_repository: "It lies in one",
    control_characters: "no letters",
    bytes_that_are_no_text: "no letters",
}
