"""What `cw merge` is going to do: which, in which order, with which method."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from cw.errors import BadInputError
from cw.operations.pulls.beginning import begin_new
from cw.operations.pulls.giving_back import find
from cw.operations.pulls.merge import MergeRow
from cw.pulls.merging import Change, choose_method, in_order, refusal, sharing
from cw.pulls.record import PullRecord

if TYPE_CHECKING:
    from cw.forges.client import Merging
    from cw.forges.pulls import MergeMethod
    from cw.operations.pulls.merge import Merger


def plan(merger: Merger, typed: Iterable[str], wanted: MergeMethod | None = None) -> list[MergeRow]:
    """Those that can be merged, in order; then those that are left. Raises BadInputError,
    GitHubUnavailableError.
    """
    store, github = merger.ways.store, merger.ways.github
    begin_new(store, store.tasks.now())
    named = {record.key: record for record in (find(store, text) for text in typed)}
    seen = merger.look(named)
    ready, left = dict[tuple[str, int], PullRecord](), []
    for key, before in named.items():
        record = seen[key]
        why = record if isinstance(record, str) else refusal(record)
        if isinstance(record, str) or why:
            left.append(row_of(before).left(why))
        else:
            ready[key] = record
    methods = methods_of(github, {record.repo for record in ready.values()}, wanted)
    changes = changes_of(github, ready.values())
    rows = [
        row_of(ready[one.place, one.number], methods, sharing(one, changes))
        for one in in_order(changes)
    ]
    return [*rows, *left]


def methods_of(
    github: Merging, repos: Collection[str], wanted: MergeMethod | None
) -> dict[str, MergeMethod]:
    """By repository. Raises BadInputError where there is none, or not the wanted one."""
    found = {}
    for repo in sorted(repos):
        allowed = github.merge_methods(repo)
        method = choose_method(allowed, wanted)
        if method is None:
            raise BadInputError(
                f"{repo} does not allow {f'--method {wanted}' if wanted else 'merges'}",
                hint=f"It allows: {', '.join(allowed)}" if allowed else "",
            )
        found[repo] = method
    return found


def changes_of(github: Merging, records: Collection[PullRecord]) -> list[Change]:
    """The only one into a base is in nobody's way: what it changes is not asked."""
    into = Counter((record.key[0], record.shown.base) for record in records)
    return [
        Change(
            place=record.key[0],
            number=record.number,
            base=record.shown.base,
            files=github.changed_files(record.repo, record.number)
            if into[record.key[0], record.shown.base] > 1
            else frozenset(),
        )
        for record in records
    ]


_NO_METHODS: Mapping[str, MergeMethod] = {}


def row_of(
    record: PullRecord,
    methods: Mapping[str, MergeMethod] = _NO_METHODS,
    shares: tuple[int, ...] = (),
) -> MergeRow:
    return MergeRow(
        repo=record.repo,
        repo_id=record.repo_id,
        number=record.number,
        url=record.url,
        issue=record.issue,
        title=record.title,
        head=record.head,
        method=methods.get(record.repo, ""),
        shares=shares,
        result="planned",
    )
