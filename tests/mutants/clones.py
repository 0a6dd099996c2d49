"""git on what agents left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tests.mutants import Mutant, rewrite
from workerhost.clones import (
    bounded,
    changes,
    evidence,
    git,
    git_errors,
    lens,
    preparing,
    quarantine,
    renewing,
    workspace,
)
from workerhost.runs import ends_with_proof, unfit_workers
from workerhost.settling import kept_work
from workerhost.walls import fork_server

_TRAPS = "tests/integration/test_clone_traps.py::"
_PROGRAMS = "tests/integration/test_clone_programs.py::"
_PACKED = fork_server.Order.packed
_BOUNDED = "tests/integration/test_bounded.py::"


def _put(where: Any, name: str, what: Any) -> None:
    assert hasattr(where, name)
    setattr(where, name, what)


def _believe_the_clones_configuration() -> None:
    ours = lens._config
    _put(lens, "_config", lambda theirs: (theirs / "config").read_text("utf-8") + ours(theirs))


def _ask_git_about_anything() -> None:
    _put(lens, "look", lambda *_: [])


def _no_cap() -> None:
    _put(bounded._Watch, "_over", lambda _: "")


def _host_before_it() -> None:
    rewrite(fork_server, 'file.write("1000")', 'file.write("0")')


def _no_memory_limit() -> None:
    _put(fork_server.Order, "packed", lambda order: _PACKED(order._replace(data_bytes=0)))


def _look_any_time() -> None:
    @contextmanager
    def looking(*_: Any) -> Iterator[None]:
        yield

    _put(changes, "looking", looking)


def _any_object() -> None:
    quarantine._STRICT = "-v"


def _any_history() -> None:
    """Both that notice: a pack with loose ends, and a walk over all that the head leads to."""
    _any_object()
    _put(quarantine.Quarantine, "_whole", lambda *_: None)


def _no_wall() -> None:
    """Only around what has no network; what has one gets it through the wall."""
    wrap_own = vars(git)["wrap_own"]

    def wrap(argv: list[str], *, door: Any = None, **more: Any) -> list[str]:
        return list(wrap_own(argv, door=door, **more)) if door else argv

    _put(git, "wrap_own", wrap)


def _left_in_place() -> None:
    for module in (kept_work, preparing):
        _put(module, "set_aside", lambda *_: "")


def _size_of_changes_does_not_matter() -> None:
    kept = evidence.inspect
    _put(evidence, "inspect", lambda *given: _without_reason(kept(*given)))


def _without_reason(state: Any) -> Any:
    return replace(state, unjudged=None)


def _persons_whole_configuration() -> None:
    _put(git, "login_config", lambda config: config.read_text("utf-8") if config else "")


def _rights_as_they_are() -> None:
    _put(preparing, "give_rights", lambda *_: None)


def _index_as_it_is() -> None:
    for module in (workspace, renewing, preparing):
        _put(module, "reveal", lambda *_, **__: None)


def _nothing_rescued() -> None:
    _put(preparing, "rescue", lambda *_: [])


def _within_is_cleaned() -> None:
    _put(renewing, "clear_foreign", lambda *_: None)


def _no_known_words() -> None:
    _put(git_errors, "KNOWN", ())


def _door_says_nothing() -> None:
    _put(git_errors, "_at_the_door", lambda _: None)


def _another_run_for_the_step() -> None:
    _put(ends_with_proof, "_given_up", lambda outcome: outcome)


def _every_task_of_the_pool() -> None:
    _put(unfit_workers, "_pass_on", lambda *_: None)


def _kept_where_it_was() -> None:
    _put(kept_work, "keep_for_next", lambda *_: False)


def _goes_on_in_whatever_is_there() -> None:
    prepare = preparing._prepared

    def anywhere(asked: Any, *given: Any, **told: Any) -> Any:
        return prepare(replace(asked, touched=True), *given, **told)

    _put(preparing, "_prepared", anywhere)


def _on_no_branch_is_nothing() -> None:
    _put(renewing, "_keep_detached", lambda _: None)


_STEPS = "tests/integration/test_network_steps.py::"
_USED = "tests/integration/test_used_clones.py::"
MUTANTS = {
    "step-words": Mutant(
        _STEPS + "test_push_that_does_not_work_says_why_and_whether_it_may_pass[http-archived]",
        _no_known_words,
    ),
    "step-door": Mutant(
        _STEPS + "test_host_that_nobody_may_ask_is_said_as_such[https]", _door_says_nothing
    ),
    "step-kept": Mutant(
        "tests/acceptance/test_left_behind.py"
        "::test_next_run_begins_with_what_could_not_be_pushed_whichever_worker_has_it",
        _kept_where_it_was,
    ),
    "unfit-pool": Mutant(
        "tests/integration/test_unfit_home.py"
        "::test_unfit_home_pauses_its_worker_and_others_do_the_work[clones lead out]",
        _every_task_of_the_pool,
    ),
    "step-agent": Mutant(
        _STEPS + "test_patience_ends_without_another_agent", _another_run_for_the_step
    ),
    "clone-rights": Mutant(
        _USED + "test_used_clone_is_as_if_new[read-only folder]", _rights_as_they_are
    ),
    "clone-flags": Mutant(
        _USED + "test_changes_under_flags_of_the_index_are_changes", _index_as_it_is
    ),
    "clone-rescue": Mutant(
        _USED + "test_work_of_a_clone_that_is_set_aside_is_in_the_new_one", _nothing_rescued
    ),
    "clone-within": Mutant(
        _USED + "test_what_lay_in_another_repository_within_is_kept", _within_is_cleaned
    ),
    "clone-persons-settings": Mutant(
        "tests/integration/test_whose_settings.py::test_what_a_person_has_set_decides_nothing",
        _persons_whole_configuration,
    ),
    "clone-configuration": Mutant(
        _PROGRAMS + "test_no_key_of_gits_starts_a_program_of_the_agents",
        _believe_the_clones_configuration,
    ),
    "clone-look": Mutant(
        _TRAPS + "test_clone_that_is_a_trap_is_not_judged_and_kept_aside[pipe-refs]",
        _ask_git_about_anything,
    ),
    "clone-output": Mutant(_BOUNDED + "test_what_has_no_end_is_ended", _no_cap),
    "clone-memory": Mutant(_BOUNDED + "test_memory_is_bounded", _no_memory_limit),
    "clone-oom": Mutant(_BOUNDED + "test_kernel_takes_it_before_the_host", _host_before_it),
    "clone-lock": Mutant(_TRAPS + "test_view_does_not_look_while_the_host_settles", _look_any_time),
    "clone-strict": Mutant(
        _TRAPS + "test_objects_that_git_would_not_write_are_not_taken", _any_object
    ),
    "clone-whole": Mutant(_TRAPS + "test_history_that_was_cut_short_is_not_judged", _any_history),
    "clone-own-wall": Mutant(_PROGRAMS + "test_host_s_own_git_sees_no_home", _no_wall),
    "clone-set-aside": Mutant(
        _TRAPS + "test_clone_that_is_a_trap_is_not_judged_and_kept_aside[pipe-refs]",
        _left_in_place,
    ),
    "clone-unjudged": Mutant(
        _TRAPS + "test_clone_that_is_a_trap_is_not_judged_and_kept_aside[gitfile]",
        _size_of_changes_does_not_matter,
    ),
    "goes on where no agent was": Mutant(
        "tests/integration/test_workspace.py"
        "::test_resumed_task_that_had_no_agent_yet_finds_its_branch_and_loses_nothing",
        _goes_on_in_whatever_is_there,
    ),
    "a commit on no branch is nothing": Mutant(
        "tests/integration/test_workspace.py"
        "::test_resumed_task_that_had_no_agent_yet_finds_its_branch_and_loses_nothing",
        _on_no_branch_is_nothing,
    ),
}
