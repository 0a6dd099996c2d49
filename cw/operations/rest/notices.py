"""Whether a person is told of a task that came to rest, and what. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from cw.glyphs import shown
from cw.models import Outcome, TaskSpec
from cw.notices.notice import Notice
from cw.reasons import rule_of
from cw.redaction.redact import redactor
from cw.states import Move, OutcomeKind

_ENDS = frozenset({Move.FINISH, Move.LOSE, Move.CLOSE})
_WORDS = {Move.LOSE: "crashed", Move.HOLD: "held"}
_TITLE = 200  # characters
_WHY = 500
_ID_CHARS = 32  # 128 bits
_TYPED = "cw show ID"  # where no reason says more

Redact = Callable[[str], str]


def is_notice(outcome: Outcome, move: Move, *, asked: bool) -> bool:
    """What failed does not move without a person, also when each of its tries would have healed by
    itself; nor does what waits for a credential. What a person stopped or closed is known to them.
    `asked`: whoever dispatched it wants to hear of its end, whichever it is; what goes on, or may,
    has none yet.
    """
    if move is Move.HOLD:
        return rule_of(outcome.reason).person
    if move not in _ENDS:
        return False
    return outcome.kind is OutcomeKind.FAILED or asked


@dataclass(frozen=True, slots=True)
class End:
    """How a task came to rest, or went on."""

    task: TaskSpec
    worker: str
    attempt: int
    outcome: Outcome
    move: Move


def notice_of(end: End, now: datetime, redact: Redact | None = None) -> Notice | None:
    """None: nobody is told. `redact`: of the worker; without, known shapes of secrets only. The
    same end of the same attempt has the same id, whoever says so and when.
    """
    task, outcome = end.task, end.outcome
    if not is_notice(outcome, end.move, asked=task.notify):
        return None
    if task.of_pull and end.move in _ENDS:
        return None  # what is to be told its pull request says
    what = _WORDS.get(end.move, outcome.kind.value)
    cause = (task.id, str(end.attempt), what, outcome.reason)
    typed = _next(task, end.worker, outcome)
    return _notice(end, now, redact, cause, what=what, why=outcome.message, typed=typed)


def pause_notice(
    end: End, who: str, why: str, typed: str, now: datetime, redact: Redact | None = None
) -> Notice:
    """Of what takes nothing more because its tasks fail alike. `end`: of the last of them."""
    said = f"{who} takes nothing more: {why}"
    return _notice(end, now, redact, (who, end.task.id), what="paused", why=said, typed=typed)


def _notice(
    end: End,
    now: datetime,
    redact: Redact | None,
    cause: Sequence[str],
    *,
    what: str,
    why: str,
    typed: str,
) -> Notice:
    task, clean = end.task, redact or redactor()
    return Notice(
        id=hashlib.sha256("\0".join(cause).encode()).hexdigest()[:_ID_CHARS],
        at=now,
        task=task.id,
        repository=clean(task.repo),
        issue=task.issue,
        worker=end.worker,
        title=line(clean(task.title), _TITLE),
        what=what,
        reason=end.outcome.reason,
        why=line(clean(why), _WHY),
        next=clean(typed),
        link=clean(end.outcome.pr or _issue(task)),
    )


def _next(task: TaskSpec, worker: str, outcome: Outcome) -> str:
    """As the reason has it, of this very task."""
    rule, typed = rule_of(outcome.reason), _TYPED
    if rule.person:
        typed = rule.next
    elif outcome.kind is OutcomeKind.FAILED:  # put off too often
        typed = "cw restart ID"
    if ("ISSUE" in typed and task.issue is None) or ("NN" in typed and not worker):
        typed = _TYPED
    if "ISSUE" in typed:
        return typed.replace("ISSUE", f"{task.repo}#{task.issue}")
    return typed.replace("NN", worker).replace("ID", task.id)


def _issue(task: TaskSpec) -> str:
    if not task.github or task.issue is None:
        return ""
    parts = urlsplit(task.repo_url)
    return f"{parts.scheme}://{parts.netloc}/{task.repo}/issues/{task.issue}"


def line(text: str, most: int) -> str:
    line = " ".join(shown(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
