"""A pull request as a person reads it before something is done with it, and what became of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from cw.cli.views.render import (
    STATE_STYLES,
    Column,
    diff_lines,
    duration,
    money,
    one_line,
)
from cw.escapes import escape_control

if TYPE_CHECKING:
    from cw.operations.views.pulls import PullRow
    from cw.operations.views.reviews import ReviewRow, Sheet

_REPORT_LINES = 30
_LABEL = 11
_SHA = 12
COLUMNS = [
    Column("pull request", gives=True),
    Column("done"),
    Column("why not", folds=True),
    Column("next", folds=True),
]
_READS = {"waits": "is to read it", "reads": "reads it", "failed": "could not read it"}
_DONE = {
    "approve": "approved",
    "merge": "merged",
    "changes": "changes asked for",
    "close": "closed",
    "skip": "skipped",
}


def sheet_text(sheet: Sheet, now: datetime, place: str) -> str:
    """What it is for, how it stands, what the agent said, the diff. `place`: which of how many."""
    return "".join(f"{line}\n" for line in _lines(sheet, now, place))


def _lines(sheet: Sheet, now: datetime, place: str) -> Iterator[str]:
    pull = sheet.pull
    yield click.style(one_line(f"{_name(pull)} · {pull.title} · {place}"), bold=True)
    if pull.issue:
        yield _pair("issue", f"#{pull.issue} {sheet.issue_title}")
        yield _pair("", sheet.issue_url)
    yield _pair("link", pull.url)
    state = click.style(pull.state, fg=STATE_STYLES.get(pull.state))
    yield f"{'state':<{_LABEL}}{state}: {one_line(pull.waits)}"
    yield _pair("checks", pull.checks or "not known yet")
    yield _pair("review", "a draft" if pull.draft else pull.review or "none yet")
    yield _pair("conflicts", pull.conflicts or "not known yet")
    yield _pair("diff", f"{_size(pull)} in {_count(pull.files, 'file')}, into {pull.base}")
    yield _pair("work", _work(pull, now))
    if pull.shares:
        yield _pair("same files", "as " + ", ".join(f"#{number}" for number in pull.shares))
    yield from _report(sheet)
    yield from _opinion(sheet)
    yield ""
    yield from diff_lines(sheet.diff)
    if sheet.cut:
        less = "the diff is longer than this" if sheet.diff else "the diff is too large for here"
        yield click.style(f"({less}: o opens the pull request in a browser)", bold=True)


def _report(sheet: Sheet) -> Iterator[str]:
    yield from _words("report", sheet.report, sheet.pull.task)


def _opinion(sheet: Sheet) -> Iterator[str]:
    """Of another agent: no more than that."""
    found = sheet.opinion
    if found is None:
        return
    who = f"worker {found.worker}" if found.worker else "a worker"
    earlier = "" if found.head == sheet.head else f", of the earlier head {found.head[:_SHA]}"
    if found.state == "done":
        yield from _words(f"opinion of {who}{earlier}", found.text, found.task)
    else:
        yield _pair("opinion", f"{who} {_READS[found.state]}{earlier}: cw show {found.task}")


def _words(title: str, text: str, task: str) -> Iterator[str]:
    lines = escape_control(text).strip().splitlines()
    if not lines:
        return
    yield one_line(title)
    yield from (f"  {line}".rstrip() for line in lines[:_REPORT_LINES])
    if len(lines) > _REPORT_LINES:
        yield f"  … {len(lines) - _REPORT_LINES} more lines: cw show {task}"


def summary(sheet: Sheet) -> str:
    """One line above the keys."""
    pull = sheet.pull
    checks = f"checks: {pull.checks or 'not known yet'}"
    parts = (_name(pull), pull.state, checks, _size(pull), f"head {sheet.head[:_SHA]}")
    return one_line(" · ".join(parts))


def outcome_line(row: ReviewRow) -> str:
    """What has just been done, or why not."""
    if not row.done and row.act == "skip":
        return one_line(f"{row.name}: {row.why}")
    if not row.done:
        return one_line(f"{row.name} is not {_DONE[row.act]}: {row.why}")
    as_what = f" as {row.commit[:_SHA]}" if row.commit else ""
    said = "has a request for changes" if row.act == "changes" else f"is {_DONE[row.act]}"
    thread = ", as a thread about its first file" if row.how == "thread" else ""
    return one_line(f"{row.name} {said}{as_what}{thread}")


def outcome_cells(rows: Iterable[ReviewRow]) -> list[list[str]]:
    """A line for each pull request."""
    return [_cells(name, of_one) for name, of_one in _by_name(rows).items()]


def failed(rows: Iterable[ReviewRow]) -> bool:
    """Whether what was tried last with any of them was not done."""
    return any(not _last(of_one).done for of_one in _by_name(rows).values())


def _by_name(rows: Iterable[ReviewRow]) -> dict[str, list[ReviewRow]]:
    found: dict[str, list[ReviewRow]] = {}
    for row in rows:
        found.setdefault(row.name, []).append(row)
    return found


def _last(rows: list[ReviewRow]) -> ReviewRow:
    """To go on after something was tried takes nothing back."""
    tried = [row for row in rows if row.act != "skip"]
    return (tried or rows)[-1]


def _cells(name: str, rows: list[ReviewRow]) -> list[str]:
    last = _last(rows)
    done = [_DONE[row.act] for row in rows if row.done and row.act != "skip"]
    words = ", ".join(dict.fromkeys(done)) or (_DONE["skip"] if last.done else "nothing")
    return [name, words, "" if last.done else last.why, last.next]


def _name(pull: PullRow) -> str:
    return f"{pull.repo}#{pull.number}"


def _size(pull: PullRow) -> str:
    return f"+{pull.added} -{pull.removed}"


def _work(pull: PullRow, now: datetime) -> str:
    cost = money(pull.cost_usd, estimated=pull.cost_estimated)
    repairs = _count(pull.rounds, "repair") if pull.rounds else "no repairs"
    age = duration(now - pull.at).split()[0]
    return f"worker {pull.worker or '?'}, {cost}, {repairs}, {age} old"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _pair(name: str, value: str) -> str:
    return f"{name:<{_LABEL}}{one_line(value)}"
