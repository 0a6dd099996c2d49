"""Whose branch a branch is."""

from __future__ import annotations

from datetime import timedelta

from cw.operations.dispatch.branches import another_tasks
from cw.states import Move
from cw.store.store import Store
from tests.integration.test_store_leases import created, granted, settle
from tests.making import make_spec

SPEC = make_spec(repo="acme/app", issue=1)


def test_branch_belongs_to_the_task_that_is_named_in_it(store: Store) -> None:
    prompt = created(store, repo="acme/app", issue=None)
    created(store, repo="acme/app", issue=7)
    created(store, repo="acme/other", issue=8)
    now = store.tasks.now()
    names = ("issue-7", prompt.branch, "issue-1", "issue-8", "issue-07", "task-zzz", "main")

    theirs = [one for one in names if another_tasks(store, SPEC, one, now)]

    assert theirs == ["issue-7", prompt.branch]


def test_task_that_ended_before_has_left_its_branch_to_anybody(store: Store) -> None:
    other = created(store, repo="acme/app", issue=7)
    before = store.tasks.now() - timedelta(milliseconds=1)  # what a record's times are told in
    assert settle(store, other, granted(store, other).fence, Move.FINISH)
    after = store.tasks.now() + timedelta(seconds=1)

    assert another_tasks(store, SPEC, "issue-7", before)
    assert not another_tasks(store, SPEC, "issue-7", after)
