"""What of a repository on this machine is shown, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cw.local_repository
import workerhost.clones.lens
from cw.operations.dispatch import local_source
from tests.mutants import Mutant

_TEST = "tests/integration/test_sources.py::"
_CLONED = f"{_TEST}test_host_clones_source_of_any_shape_behind_the_wall_and_pushes_to_it"
_REFUSED = f"{_TEST}test_source_that_git_cannot_use_is_refused_before_the_run"


def _instead(module: object, name: str, other: object) -> Callable[[], None]:
    return lambda: setattr(module, name, other)


def _without_pointer() -> None:
    first = cw.local_repository._read
    cw.local_repository._read = lambda path: cw.local_repository.Source(
        (), first(path).folders, first(path).borrowed
    )


def _head_on_a_branch() -> None:
    ask = local_source._git

    def told(*args: str, **more: Any) -> Any:
        done = ask(*args, **more)
        if args[0] == "ls-remote":
            done.stdout = f"ref: refs/heads/main\tHEAD\n{done.stdout}"
        return done

    local_source._git = told


MUTANTS = {
    "source-borrows-nothing": Mutant(
        test=f"{_CLONED}[shared]", take_out=_instead(cw.local_repository, "_borrowed", lambda _: ())
    ),
    "source-has-no-pointer": Mutant(test=f"{_CLONED}[worktree]", take_out=_without_pointer),
    "source-has-no-links": Mutant(
        test=f"{_CLONED}[linked_objects]",
        take_out=_instead(cw.local_repository, "_linked", lambda *_: iter(())),
    ),
    "every-object-format-is-sha1": Mutant(
        test=f"{_TEST}test_commits_named_by_sha256_are_searched_for_secrets",
        take_out=_instead(workerhost.clones.lens, "is_sha256", lambda _: False),
    ),
    "source-may-show-anything": Mutant(
        test=f"{_TEST}test_source_that_would_show_what_stays_apart_is_refused",
        take_out=_instead(local_source, "refuse_inside", lambda *_: None),
    ),
    "detached-head-is-taken": Mutant(
        test=f"{_REFUSED}[detached]",
        take_out=_head_on_a_branch,
    ),
}
