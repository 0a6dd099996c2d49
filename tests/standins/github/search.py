"""The search index: what it matches is as old as `search_lag` says."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from .access import Viewer
from .model import Indexed, Issue, Repo
from .routing import Call, route
from .state import State
from .wire import ApiError, Reply, invalid

TERM = re.compile(r'(?P<no>-?)(?:(?P<key>[\w-]+):)?(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"()]+))')
MAX_RESULTS = 1000
Hit = tuple[Repo, Issue]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    repo: Repo
    issue: Issue
    seen: Indexed


@dataclass(frozen=True)
class Term:
    key: str  # "" for words to be found in title or body
    value: str
    negated: bool


def parse(query: str) -> list[Term]:
    terms = []
    for found in TERM.finditer(query):
        value = found["quoted"] if found["quoted"] is not None else found["plain"]
        if not found["key"] and value in {"AND", "OR", "NOT"}:
            continue
        terms.append(Term((found["key"] or "").lower(), value, bool(found["no"])))
    return terms


def _is(hit: Candidate, value: str) -> bool:
    if value in {"pr", "pull-request", "issue"}:
        return (hit.issue.pull is not None) == (value != "issue")
    if value in {"public", "private"}:
        return hit.repo.private == (value == "private")
    if value in {"merged", "unmerged"}:
        return (hit.seen.state == "merged") == (value == "merged")
    if value == "draft":
        return bool(hit.issue.pull and hit.issue.pull.draft)
    return value == ("open" if hit.seen.state == "open" else "closed")


def _labelled(hit: Candidate, value: str) -> bool:
    return any(name in hit.seen.labels for name in value.lower().split(","))


def _no(hit: Candidate, value: str) -> bool:
    return not {"label": hit.seen.labels, "assignee": hit.seen.assignees}.get(value, frozenset())


def _head(hit: Candidate, value: str) -> bool:
    return bool(hit.issue.pull and hit.issue.pull.head_ref.startswith(value))


QUALIFIERS: dict[str, Callable[[Candidate, str], bool]] = {
    "repo": lambda hit, value: hit.repo.full_name.lower() == value.lower(),
    "org": lambda hit, value: hit.repo.owner.lower() == value.lower(),
    "user": lambda hit, value: hit.repo.owner.lower() == value.lower(),
    "is": _is,
    "type": _is,
    "state": _is,
    "label": _labelled,
    "no": _no,
    "author": lambda hit, value: hit.issue.author.lower() == value.lower(),
    "assignee": lambda hit, value: value.lower() in hit.seen.assignees,
    "archived": lambda hit, value: hit.repo.archived == (value == "true"),
    "head": _head,
    "base": lambda hit, value: bool(hit.issue.pull and hit.issue.pull.base_ref == value),
    "review-requested": lambda _hit, _value: False,
    "mentions": lambda hit, value: f"@{value}" in hit.seen.body,
    "in": lambda _hit, _value: True,
    "sort": lambda _hit, _value: True,
    "": lambda hit, value: value.lower() in f"{hit.seen.title}\n{hit.seen.body}".lower(),
}


def search(state: State, viewer: Viewer, query: str) -> list[Hit]:
    if len(query) > state.max_query:
        text = f"The search is longer than {state.max_query} characters."
        raise invalid("Search", "q", "invalid", text)
    if not query.strip():
        raise invalid("Search", "q", "missing")
    terms = parse(query)
    unknown = [term.key for term in terms if term.key not in QUALIFIERS]
    if unknown:
        raise ApiError(422, f"The stand-in does not know the search qualifier {unknown[0]!r}")
    hits = [c for c in _candidates(state, viewer) if all(_holds(c, term) for term in terms)]
    oldest_first = "created-asc" in query
    hits.sort(key=lambda c: (c.issue.created_at, c.issue.number), reverse=not oldest_first)
    return [(hit.repo, hit.issue) for hit in hits]


def _holds(hit: Candidate, term: Term) -> bool:
    return QUALIFIERS[term.key](hit, term.value) != term.negated


def _candidates(state: State, viewer: Viewer) -> list[Candidate]:
    horizon = state.now() - state.search_lag
    found = []
    for repo in state.repos.values():
        if not viewer.sees(repo):
            continue
        for issue in repo.issues.values():
            known = [seen for seen in issue.indexed if seen.at <= horizon]
            if known:
                found.append(Candidate(repo=repo, issue=issue, seen=known[-1]))
    return found


@route("GET", "/search/issues")
def search_issues(call: Call) -> Reply:
    query = call.request.query
    hits = search(call.state, call.viewer, query.get("q", ""))
    if query.get("order") == "asc":
        hits.reverse()
    page = call.slice(hits[:MAX_RESULTS])
    items = [call.render.issue(repo, issue) | {"score": 1.0} for repo, issue in page]
    body = {"total_count": len(hits), "incomplete_results": False, "items": items}
    return Reply(body=body, headers=call.links(min(len(hits), MAX_RESULTS)))
