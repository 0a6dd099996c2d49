"""The commits of a pull request, each anew on its base."""

from pathlib import Path

from .gitrepo import by_github, git, head, merged_tree

_AUTHOR = {"NAME": "%an", "EMAIL": "%ae", "DATE": "%aI"}


def rebase(path: Path, base_ref: str, tip: str) -> str | None:
    """The branch's new head; None on conflict. Merges are left out, as git does it."""
    base = head(path, base_ref)
    if base is None:
        return None
    onto = base
    commits = git(path, "rev-list", "--reverse", "--no-merges", f"{base}..{tip}").split()
    for commit in commits:
        tree = _picked(path, onto, commit)
        if tree is None:
            return None
        onto = _commit_again(path, tree, onto, commit)
    git(path, "update-ref", f"refs/heads/{base_ref}", onto, base)
    return onto


def _picked(path: Path, onto: str, commit: str) -> str | None:
    """The tree: git merges with what the commit was made of as the base, if that is a parent of
    both.
    """
    beside = git(path, "commit-tree", f"{onto}^{{tree}}", "-p", f"{commit}^", env=by_github())
    return merged_tree(path, beside.strip(), commit)


def _commit_again(path: Path, tree: str, onto: str, commit: str) -> str:
    author = {
        f"GIT_AUTHOR_{key}": git(path, "show", "-s", f"--format={form}", commit).strip()
        for key, form in _AUTHOR.items()
    }
    message = git(path, "show", "-s", "--format=%B", commit).encode()
    env = by_github() | author
    return git(path, "commit-tree", tree, "-p", onto, stdin=message, env=env).strip()
