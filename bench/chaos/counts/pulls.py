"""Repairs of pull requests, from the agents' log, GitHub's state and its log of pushes; and our
records of them, which are compared with the tasks that are there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from bench.chaos.counts.saying import what_is_recorded
from bench.chaos.fleet import LEASE_SECONDS, LOCK_SECONDS, PASS_SECONDS
from bench.chaos.pulls import REPO, Followed, Pulls
from bench.chaos.report import Found, found
from cw.names import repo_key
from cw.pulls.record import Cause
from cw.pulls.states import PullState
from cw.states import State

# A pass may wait for another beat, and for the lock of one that was killed; and a host that was
# frozen for longer than a lease has not heard of it. What its agent had committed is pushed.
_GRACE_SECONDS = PASS_SECONDS + LOCK_SECONDS + LEASE_SECONDS + 20
_OURS = "bot"
_MARK = re.compile(r"<!-- cw:[^>]* -->")


def too_many(pulls: Pulls) -> Found:
    """More tasks that mended a cause than may; and of n pull requests that change one file more
    than n whose conflicts an agent has mended to its end.
    """
    most, wrong, of, merged = pulls.load.settings.pulls_repairs, [], 0, set[str]()
    for one in pulls.all:
        runs = pulls.repairs(one)
        each = Counter(cause for _, cause in {(run.task, run.mends) for run in runs})
        of += each.total()
        wrong += [
            f"#{one.issue}: {often} of {cause}" for cause, often in each.items() if often > most
        ]
        merged |= {run.task for run in runs if run.mends == Cause.CONFLICT and run.completed}
    share = sum(one.kind.shares for one in pulls.all)
    wrong += [f"one more conflict: {task}" for task in sorted(merged)[share:]]
    return found(wrong, of)


def comment_twice(pulls: Pulls) -> Found:
    """The same words of ours again, whatever their mark."""
    wrong, of = [], 0
    for one in pulls.all:
        for place, words in _said(pulls, one):
            said = Counter(_MARK.sub("", text).strip() for text in words)
            of += said.total()
            wrong += [
                f"{place}: {text!r}" for text, often in said.items() for _ in range(often - 1)
            ]
    return found(wrong, of)


def after_stop(pulls: Pulls) -> Found:
    """Pushes of ours to what was a person's by then."""
    ended = {one.branch: one for one in pulls.all if one.ended_at}
    state = pulls.load.fleet.hub.state
    with state.lock:
        pushes = list(state.repo(REPO).pushes)
    wrong = [
        f"#{one.issue} {late:.1f} s after: {one.kind.ends}"
        for push in pushes
        if push.actor == _OURS and (one := ended.get(push.ref.removeprefix("refs/heads/")))
        if (late := push.at.timestamp() - one.ended_at) > _GRACE_SECONDS
    ]
    return found(wrong, len(ended))


def in_doubt(pulls: Pulls) -> Found:
    """Records that say a repair goes on, and none does; and issues that one has which is over.
    Raises CwError.
    """
    store, records = pulls.load.store, pulls.records()
    mended = {task.spec.issue for task in store.tasks.open_tasks() if task.spec.repair}
    wrong = [
        f"#{issue} waits for {record.waits}"
        for issue, record in records.items()
        if record.state is PullState.REPAIRING and issue not in mended
    ]
    for one in pulls.all:
        spec = one.taken[0].spec
        holder = store.tasks.claimed_by(repo_key(spec.repo, spec.repo_id), one.issue)
        task = store.tasks.get(holder) if holder else None
        if holder and (task is None or task.state is State.DONE):
            wrong.append(f"#{one.issue} is held by {what_is_recorded(pulls.load, holder)}")
    return found(wrong, len(pulls.all) + len(records))


OF_PULLS: dict[str, Callable[[Pulls], Found]] = {
    "repairs too many": too_many,
    "comment twice": comment_twice,
    "push after stop": after_stop,
    "repair in doubt": in_doubt,
}


def wrong_for_good(pulls: Pulls) -> bool:
    """Nothing that comes makes it better."""
    return any(count(pulls).wrong for count in (too_many, comment_twice, after_stop))


def _said(pulls: Pulls, one: Followed) -> Iterator[tuple[str, list[str]]]:
    """In each place where we say something: at the pull request, and in each of its threads."""
    state = pulls.load.fleet.hub.state
    with state.lock:
        for issue in state.repo(REPO).issues.values():
            if issue.pull and issue.pull.head_ref == one.branch:
                said = [issue.comments, *(thread.replies for thread in issue.pull.threads)]
                for at, each in enumerate(said):
                    place = f"#{issue.number}" + (f", thread {at}" if at else "")
                    yield place, [word.body for word in each if word.author == _OURS]
