"""Rights that an agent took from itself, as Go's module cache does with its folders."""

from __future__ import annotations

from pathlib import Path

from workerhost.clones.git import Git

# GNU's and BSD's find act on a folder before they descend into it, and neither follows a link.
_GIVE = (
    'chmod u+rwx "$@" 2>/dev/null; for last; do :; done; exec find "$last" '
    "'(' -type d ! -perm -700 -exec chmod u+rwx '{}' ';' ')' "
    # What git writes where it lies (COMMIT_EDITMSG, logs). Objects are closed by git itself; what
    # is empty and read-only beside HEAD may be a sandbox's, and is known by that when it is swept.
    '-o \'(\' -type f -path "$last/.git/*" ! -path "$last/.git/objects/*" ! -perm -600'
    " ! '(' -size 0 ! -path \"$last/.git/*/*\" ')'"
    " -exec chmod u+rw '{}' + ')'"
    " -o '(' -type f ! -perm -400 -exec chmod u+r '{}' + ')'"
    # Of pipes and sockets git says nothing, nor does it remove them.
    " -o '(' '(' -type p -o -type s ')' ! -path \"$last/.git/*\" -exec rm -f '{}' + ')'"
)


def give_rights(git: Git, clone: Path) -> None:
    """Its owner may read what is in the clone, change its folders, and write what git writes in
    `.git`; its pipes are gone. Behind the wall: whatever it is led to lies in this HOME. As far as
    it goes: what fails then says why.
    """
    above = [folder for folder in reversed(clone.parents) if folder.is_relative_to(git.home.clones)]
    command = ["/bin/sh", "-c", _GIVE, "sh", *map(str, (*above, clone))]
    git.within(git.settings.git_seconds).behind(command, at=git.home.path, env={})
