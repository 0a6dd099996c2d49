"""What GitHub has, and what it was told."""

from __future__ import annotations

import re
from collections import Counter

from bench.chaos import agentlog
from bench.chaos.counts.saying import what_is_recorded
from bench.chaos.faults import Faults
from bench.chaos.load import APP, MOVED, Load
from bench.chaos.report import Found, found

_PLACE = rf"^/(?:repos/(?:{APP}|{MOVED})|repositories/\d+)/issues"  # whatever it is called
_MARK = re.compile(r"<!-- (cw:[^>]*) -->")
_RELABELS = 1  # reconcile puts a label back once for each task
_DONE = frozenset({200, 201, 204})


def duplicate_pulls(load: Load, _faults: Faults) -> Found:
    heads = Counter(one.head for one in load.fleet.hub.pulls(APP))
    twice = [head for head, often in heads.items() for _ in range(often - 1)]
    return found(twice, len(issues(load)))


def issues(load: Load) -> list[int]:
    return [one.spec.issue for one in load.taken if one.spec.github and one.spec.issue is not None]


def wrong_labels(load: Load, faults: Faults) -> Found:
    """Issues whose labels or pull requests do not fit what their agent did. An agent that was
    killed after its last word has done its work; only the words before that are a failure.
    """
    done, wrong = agentlog.completed(load.log.read()), []
    heads = {one.head for one in load.fleet.hub.pulls(APP)}
    for one in list(load.taken):
        number = one.spec.issue
        if not one.spec.github or number is None:
            continue
        labels = [n for n in load.fleet.hub.issue(APP, number).labels if n.startswith("worker:")]
        proven = not labels and one.spec.branch in heads
        told = len(labels) == 1 and one.spec.id in faults.agents_killed
        if not proven and (one.spec.id in done or not told):
            there = "pull request" if one.spec.branch in heads else "no pull request"
            wrong.append(f"#{number}: {labels}, {there}, {what_is_recorded(load, one.spec.id)}")
    return found(wrong, len(issues(load)))


def told_too_often(load: Load, _faults: Faults) -> Found:
    """Comments that say the same again, and labels put on more often than there were dispatches,
    runs and repairs to put them on.
    """
    runs = Counter(one.task for one in load.log.read())
    allowed: Counter[int] = Counter(load.tried)
    for one in load.taken:
        if one.spec.github and one.spec.issue is not None:
            task = load.store.tasks.get(one.spec.id)
            # A run may have been begun that never had an agent.
            begun = max(runs[one.spec.id], task.attempt if task else 0)
            allowed[one.spec.issue] += begun + _RELABELS
    put_on = Counter(labels_put_on(load))
    wrong = [
        f"#{issue}: labelled {put_on[issue]} times, {allowed[issue]} at most"
        for issue in set(issues(load))
        if put_on[issue] > allowed[issue]
    ]
    for issue in set(issues(load)):
        comments = load.fleet.hub.issue(APP, issue).comments
        marks = Counter(mark for one in comments for mark in _MARK.findall(one.body))
        wrong += [f"#{issue}: said twice: {mark}" for mark, often in marks.items() if often > 1]
    return found(wrong, len(issues(load)))


def labels_put_on(load: Load) -> list[int]:
    """The issue of each write that GitHub took."""
    path = re.compile(rf"{_PLACE}/(\d+)/labels$")
    asked = load.fleet.hub.requests.matching("POST", path.pattern)
    taken = [one for one in asked if one.status in _DONE and not one.lied]
    return [int(hit[1]) for one in taken if (hit := path.match(one.path))]


def words_about(load: Load, issue: int) -> list[str]:
    """What GitHub was told of one issue and took, in order: its worker's label on, off, a comment.
    To take off what is not there is a word as well; a write whose answer was lost was taken.
    """
    place = rf"{_PLACE}/{issue}/(?:labels|comments)"
    words = []
    for one in load.fleet.hub.requests.matching(None, place):
        if one.method == "POST" and one.status in _DONE and not one.lied:
            words.append("comment" if one.path.endswith("/comments") else "on")
        if one.method == "DELETE" and one.status in {*_DONE, 404, 502}:
            words.append("off")
    return words
