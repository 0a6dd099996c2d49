"""Answers of GitHub's of odd shape, and names that mean another repository by now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.mutants import Mutant

_IDENTITIES = "tests/integration/test_identities.py::"
_UNDELIVERABLE = "tests/integration/test_undeliverable.py::"


def _claims_by_name() -> None:
    from cw.models import TaskSpec
    from cw.operations.dispatch.request import Request

    TaskSpec.key = property(lambda one: (one.repo.lower(), one.issue or 0))  # type: ignore[method-assign,assignment]
    Request.key = property(lambda one: (one.repo.name.lower(), one.issue or 0))  # type: ignore[method-assign,assignment]


def _nothing_of_before() -> None:
    from cw.store.task_reads import TaskReads

    TaskReads.claimed_by_name = lambda _self, _issue: []  # type: ignore[assignment,method-assign]


def _no_redirects() -> None:
    from cw.github import transport

    transport._MOVED = frozenset()


def _writes_by_name() -> None:
    from cw.github.client import GitHub

    GitHub.name_of = lambda _self, repo, _repo_id: repo  # type: ignore[assignment,method-assign]


def _one_line_for_all() -> None:
    from workerhost.github import outbox_delivery

    outbox_delivery._issue = lambda _effect: "all"  # type: ignore[assignment]


def _for_ever() -> None:
    from workerhost.github.backoff import Backoff

    Backoff.spent = lambda _self, _key, *, odd: False  # type: ignore[assignment,method-assign]  # noqa: ARG005


def _dropped() -> None:
    from cw.store.outbox import OutboxStore

    def drop(self: OutboxStore, host: str, entry: Any, _reason: str, _tries: int) -> None:
        self.done(host, entry)

    OutboxStore.set_aside = drop  # type: ignore[assignment,method-assign]


def _rows_all_or_none() -> None:
    from cw.github import listing

    listing._row = lambda row, repo: listing._listed(row, repo).model_dump(mode="json")


def _one_list_ends_all() -> None:
    from cw.operations.passes.github_pass import GitHubPass

    def told(_self: Any, _repo: str, error: Exception) -> None:
        raise error

    GitHubPass.told = told  # type: ignore[assignment,method-assign]


def _case_counts() -> None:
    from cw import names

    names._folded = lambda label: label


def _never_refused() -> None:
    from cw.operations.dispatch import readiness

    readiness.refuse = lambda _found, *, issues: None  # type: ignore[assignment]  # noqa: ARG005


def _at_once_again() -> None:
    from workerhost.unexpected_errors import Troubles

    Troubles.waits = lambda _self, _loop, _about="": False  # type: ignore[assignment,method-assign]


def _nothing_is_outdated() -> None:
    from workerhost.github.outbox_delivery import Deliverer

    leaves = Deliverer._leaves

    def eager(self: Deliverer, entry: Any, issue: Any) -> bool:
        return leaves(replace(self, outdated=lambda _: False), entry, issue)

    Deliverer._leaves = eager  # type: ignore[method-assign]


def _refused_is_gone() -> None:
    from cw.errors import GitHubRefusedError
    from cw.operations.reconciliation import reconcile

    vars(reconcile)["GoneError"] = GitHubRefusedError


def _gone_at_the_first_word() -> None:
    from cw.errors import GoneError
    from cw.operations.reconciliation.reconcile import _Pass

    def believed(self: _Pass, place: Any, number: int) -> Any:
        try:
            return self.ways.github.issue(place.name, number)
        except GoneError:
            return None

    _Pass._issue = believed  # type: ignore[method-assign]


def _late_label_is_somebodys() -> None:
    from cw.operations.dispatch import dispatching
    from cw.operations.dispatch.worker_label import mark_issue as mark

    vars(dispatching)["mark_issue"] = lambda *given: mark(*given[:4])


_MOMENT = (
    "tests/integration/test_reconcile.py"
    "::test_issue_that_github_does_not_show_for_a_moment_is_not_closed"
)
MUTANTS = {
    "claims by the name of a repository": Mutant(
        _IDENTITIES + "test_issue_of_a_repository_that_took_the_name_is_another_one",
        _claims_by_name,
    ),
    "tasks of before are not asked about": Mutant(
        _IDENTITIES + "test_task_of_before_keeps_its_issue_from_a_second_one[globex/site-True]",
        _nothing_of_before,
    ),
    "redirects are not followed": Mutant(
        _UNDELIVERABLE + "test_effects_of_a_cw_of_before_follow_a_rename", _no_redirects
    ),
    "writes by the name of a repository": Mutant(
        _UNDELIVERABLE + "test_effect_reaches_its_repository_when_the_name_is_another_s",
        _writes_by_name,
    ),
    "one issue's trouble stops the outbox": Mutant(
        _UNDELIVERABLE
        + "test_answer_of_odd_shape_holds_up_its_own_issue_only_and_not_for_ever[half an answer]",
        _one_line_for_all,
    ),
    "a poisoned write is tried for ever": Mutant(
        _UNDELIVERABLE
        + "test_answer_of_odd_shape_holds_up_its_own_issue_only_and_not_for_ever[half an answer]",
        _for_ever,
    ),
    "a refused write is dropped": Mutant(
        _UNDELIVERABLE + "test_what_github_refuses_is_set_aside_at_once_with_its_words[gone]",
        _dropped,
    ),
    "one odd row ends a list": Mutant(
        _IDENTITIES + "test_row_that_cannot_be_read_leaves_the_others_alone", _rows_all_or_none
    ),
    "one odd list ends a pass": Mutant(
        _IDENTITIES + "test_list_of_odd_shape_leaves_other_repositories_alone[null]",
        _one_list_ends_all,
    ),
    "labels compare by their case": Mutant(
        "tests/unit/test_label_names.py::test_labels_are_the_same_in_whatever_case", _case_counts
    ),
    "dispatch looks at no repository": Mutant(
        "tests/unit/test_readiness.py::test_what_is_in_the_way_is_said_with_what_to_do",
        _never_refused,
    ),
    "what failed is tried again at once": Mutant(
        "tests/integration/test_unforeseen.py"
        "::test_step_that_fails_is_left_alone_for_longer_each_time",
        _at_once_again,
    ),
    "a label is put on however late": Mutant(
        "tests/integration/test_outbox.py"
        "::test_label_of_a_task_comes_late_only_while_it_is_true[succeeded]",
        _nothing_is_outdated,
    ),
    "an issue that is refused is gone": Mutant(f"{_MOMENT}[token refused]", _refused_is_gone),
    "an issue is gone at the first word": Mutant(
        f"{_MOMENT}[renamed at this moment]", _gone_at_the_first_word
    ),
    "a late label of the last task keeps out": Mutant(
        "tests/integration/test_dispatch_github.py"
        "::test_label_of_the_last_task_that_comes_late_keeps_nobody_out",
        _late_label_is_somebodys,
    ),
}
