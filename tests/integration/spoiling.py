"""What agents leave in clones, by name: commands of an agent, or of a tool that it used."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from cw.homes.owner import give_tree
from tests.integration.cloning import commit, run

Spoil = Callable[[Path], object]


def shell(script: str) -> Spoil:
    """In the clone, as the agent's Bash would. Raises CalledProcessError or OSError: the clone is
    broken already, in a way that leaves no room for this one.
    """

    def spoil(clone: Path) -> None:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(clone.parent),
            "GIT_AUTHOR_NAME": "Agent",
            "GIT_AUTHOR_EMAIL": "agent@example.invalid",
            "GIT_COMMITTER_NAME": "Agent",
            "GIT_COMMITTER_EMAIL": "agent@example.invalid",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }
        try:
            subprocess.run(["/bin/sh", "-ec", script], cwd=clone, env=env, check=True)
        finally:
            give_tree(clone)

    return spoil


def _index_of_rubbish(clone: Path) -> None:
    (clone / ".git" / "index").write_bytes(b"DIRC nonsense")


def _another_repository(clone: Path) -> None:
    other = clone / "other"
    other.mkdir()
    run(other, "init", "-q")
    commit(other, "theirs.txt")
    (other / "draft.txt").write_text("draft", "utf-8")


def _stubs(clone: Path) -> None:
    for name in (".bashrc", ".mcp.json", ".idea", ".vscode", ".envrc", ".claude/commands"):
        path = clone / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        path.chmod(0o444)
    (clone / ".git" / "commondir").touch(0o444)


def _broken_ref(clone: Path) -> None:
    (clone / ".git" / "refs" / "heads" / "broken").write_text("nonsense\n", "utf-8")


def _no_objects(clone: Path) -> None:
    shutil.rmtree(clone / ".git" / "objects")


def _many_branches(clone: Path) -> None:
    sha = run(clone, "rev-parse", "HEAD")
    rows = "".join(f"{sha} refs/heads/agents/number-{at:06}\n" for at in range(70_000))
    text = f"# pack-refs with: peeled fully-peeled sorted \n{rows}"
    (clone / ".git" / "packed-refs").write_text(text, "ascii")


# After which the clone itself goes on.
HEALED: dict[str, Spoil] = {
    "read-only folder": shell("mkdir -p m/n; echo x >m/f; echo x >m/n/f; chmod -R a-w m"),
    "folder without rights": shell("mkdir -p m; echo x >m/f; chmod 000 m"),
    "file without rights": shell("echo x >secret; chmod 000 secret"),
    "read-only clone": shell("chmod a-w ."),
    "clone without rights": shell("chmod 000 ."),
    "read-only .git": shell("chmod -R a-w .git"),
    "folder above without rights": shell("chmod 000 .."),
    "bare": shell("git config core.bare true"),
    "work tree elsewhere": shell("git config core.worktree /x"),
    "broken configuration": shell("echo '[broken' >>.git/config"),
    "no configuration": shell("rm .git/config"),
    "filter": shell("git config filter.lfs.required true; git config filter.lfs.clean false"),
    "identity": shell("git config user.email x@example.invalid; git config user.name X"),
    "signing": shell("git config commit.gpgsign true; git config gpg.program /nonexistent"),
    "sparse checkout": shell("git sparse-checkout set nothing-of-it"),
    "sparse index": shell("git sparse-checkout set --cone --sparse-index nothing-of-it"),
    "skip-worktree": shell("git update-index --skip-worktree README.md; rm README.md"),
    "skip-worktree, changed": shell(
        "git update-index --skip-worktree README.md; echo new >README.md"
    ),
    "assume-unchanged": shell("git update-index --assume-unchanged README.md"),
    "assume-unchanged, changed": shell(
        "git update-index --assume-unchanged README.md; echo new >README.md"
    ),
    "hook": shell(
        "mkdir -p .git/hooks; printf '#!/bin/sh\\nexit 1\\n' >.git/hooks/pre-commit;"
        " chmod +x .git/hooks/pre-commit"
    ),
    "hooks elsewhere": shell("git config core.hooksPath /nonexistent/hooks"),
    "excludes": shell("mkdir -p .git/info; echo '*.txt' >.git/info/exclude"),
    "attributes": shell("mkdir -p .git/info; echo '* -text filter=x' >.git/info/attributes"),
    "grafts": shell("mkdir -p .git/info; git rev-parse HEAD >.git/info/grafts"),
    "replaced commit": shell("git commit -q --allow-empty -m other; git replace HEAD~1 HEAD"),
    "stash": shell("echo one >README.md; git stash -q; echo two >README.md; git stash -q"),
    "merge under way": shell(
        "git checkout -qb a; echo a >README.md; git commit -qam a; git checkout -q -b b HEAD~1;"
        " echo b >README.md; git commit -qam b; ! git merge -q a"
    ),
    "rebase under way": shell(
        "git checkout -qb a; echo a >README.md; git commit -qam a; git checkout -q -b b HEAD~1;"
        " echo b >README.md; git commit -qam b; ! git rebase -q a"
    ),
    "bisection": shell("git commit -q --allow-empty -m x; git bisect start HEAD HEAD~1"),
    "detached": shell("git checkout -q --detach; git commit -q --allow-empty -m x"),
    "main moved": shell("git checkout -q -B main; git commit -q --allow-empty -m x"),
    "branch below the next": shell("git branch issue-2/part; git branch issue-2/more"),
    "tag like a branch": shell("git tag issue-2; git tag main"),
    "linked worktree": shell("git worktree add -q -b side ../side; echo x >../side/draft"),
    "linked worktree within": shell("git worktree add -q -b side side; echo x >side/draft"),
    "another repository within": _another_repository,
    "empty repository within": shell("git init -q within; echo x >within/draft"),
    "index of rubbish": _index_of_rubbish,
    "no index": shell("rm .git/index"),
    "split index": shell("git update-index --split-index; echo x >new; git add new"),
    "stubs": _stubs,
    "locks": shell(
        "touch .git/index.lock .git/HEAD.lock .git/config.lock .git/packed-refs.lock"
        " .git/shallow.lock .git/refs/heads/issue-2.lock"
    ),
    "link in place of a file": shell("rm README.md; ln -s /etc/passwd README.md"),
    "link in place of a folder": shell("ln -s / root; ln -s .. up; ln -s loop loop"),
    "folder in place of a file": shell("rm README.md; mkdir README.md; echo x >README.md/x"),
    "pipe": shell("mkfifo pipe; rm run.sh; mkfifo run.sh"),
    "odd names": shell("echo x >'a\nb'; echo x >'-rf'; echo x >\"$(printf '\\377')\""),
    "remote gone": shell("git remote remove origin"),
    "remote elsewhere": shell("git remote set-url origin /nonexistent; git remote add up /x"),
    "everything deleted": shell("rm -rf ./*"),
}
# After which it is set aside, and the next task has a new one.
SET_ASIDE: dict[str, Spoil] = {
    "no objects": _no_objects,
    "broken ref": _broken_ref,
    "many branches": _many_branches,
    "no .git/HEAD": shell("rm .git/HEAD"),
    "HEAD of rubbish": shell("echo nonsense >.git/HEAD"),
    "alternates": shell("echo /nonexistent >.git/objects/info/alternates"),
    "commondir": shell("echo /nonexistent >.git/commondir"),
    "pipe for refs": shell("rm -f .git/packed-refs; mkfifo .git/packed-refs"),
    "link for an index": shell("rm .git/index; ln -s /dev/zero .git/index"),
    "objects of rubbish": shell(
        "find .git/objects -type f -exec chmod u+w '{}' + -exec sh -c 'echo x >\"$1\"' x '{}' ';'"
    ),
    "gitfile": shell("mv .git ../was; echo 'gitdir: ../was' >.git"),
    "link for .git": shell("mv .git ../was; ln -s ../was .git"),
}
