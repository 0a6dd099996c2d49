"""Pull requests as a forge tells them, for tables."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cw.forges.watched import Check, CheckState, Glance, Look, Mergeable, Said
from cw.pulls.record import PullRecord
from cw.pulls.verdict import Seen
from tests.making import NOW, make_spec

HEAD = "a" * 40
LONG_AGO = NOW - timedelta(hours=3)


def make_glance(**changed: Any) -> Glance:
    given: dict[str, Any] = {
        "repo": "acme/app",
        "repo_id": 7,
        "open": True,
        "merged": False,
        "head": HEAD,
        "mergeable": Mergeable.YES,
        "mark": "m",
    }
    return Glance(**given | changed)


def make_look(**changed: Any) -> Look:
    of_glance = set(Glance.__slots__)
    glance = {name: changed.pop(name) for name in list(changed) if name in of_glance}
    given: dict[str, Any] = {
        "glance": make_glance(**glance),
        "title": "Fix it",
        "author": "bot",
        "base": "main",
        "branch": "issue-22",
        "draft": False,
    }
    return Look(**given | changed)


def make_seen(look: Look | None = None, **changed: Any) -> Seen:
    given: dict[str, Any] = {
        "look": look or make_look(),
        "head_at": LONG_AGO,
        "moved_at": LONG_AGO,
        "now": NOW,
    }
    return Seen(**given | changed)


def make_check(name: str, state: CheckState, **changed: Any) -> Check:
    given: dict[str, Any] = {"name": name, "state": state, "since": NOW - timedelta(minutes=2)}
    return Check(**given | changed)


def make_said(body: str, **changed: Any) -> Said:
    given: dict[str, Any] = {"id": "C1", "author": "ann", "association": "MEMBER", "body": body}
    return Said(**given | changed)


def make_record(**changed: Any) -> PullRecord:
    spec = make_spec()
    given: dict[str, Any] = {
        "repo": "acme/app",
        "repo_id": 7,
        "number": 12,
        "url": "http://github.localhost/acme/app/pull/12",
        "task": spec.id,
        "issue": 22,
        "worker": "01",
        "made_at": LONG_AGO,
        "head": HEAD,
        "head_at": LONG_AGO,
        "moved_at": LONG_AGO,
    }
    return PullRecord(**given | changed)
