"""What GitHub is told of a task: labels, comments, drafts, as the outbox takes them. Pure."""

from __future__ import annotations

import hashlib

from cw.github.publishable import block, publishable_words, span
from cw.models import Outcome, Task, TaskSpec
from cw.names import BLOCKED_LABEL, worker_label
from cw.reasons import Label, rule_of
from cw.states import OutcomeKind
from cw.store.outbox import Effect

_TAIL_CAP = 3000
_DEFERRED = OutcomeKind.DEFERRED


def on_start(task: TaskSpec, worker: str) -> list[Effect]:
    """The issue shows who has it, also when the pool decided."""
    return _effects(task, worker, ("label", worker_label(worker), ""))


def unblocked(task: TaskSpec, worker: str) -> list[Effect]:
    """Nobody has to look at it any more."""
    return _effects(task, worker, ("unlabel", BLOCKED_LABEL, ""))


def on_outcome(
    task: TaskSpec, worker: str, attempt: int, outcome: Outcome, tail: str
) -> list[Effect]:
    """Success takes the label off; anything else says why and leaves it. What only a person can
    move is labelled `blocked` as well. Of a repair that is over its pull request tells.
    """
    pull = _on_pull(task, worker, outcome)
    off = [("unlabel", worker_label(worker), "")] if takes_label_off(task, outcome) else []
    if outcome.kind is OutcomeKind.SUCCEEDED or (task.repair and outcome.kind is not _DEFERRED):
        return [*pull, *_effects(task, worker, *off)]
    mark = f"cw:{task.id}:{_once(outcome, attempt)}:{outcome.reason}"
    what = [("comment", _comment(task, worker, outcome, tail), mark), *off]
    if rule_of(outcome.reason).label is Label.BLOCKED:
        what.append(("label", BLOCKED_LABEL, ""))
    return [*pull, *_effects(task, worker, *what)]


def takes_label_off(task: TaskSpec, outcome: Outcome) -> bool:
    """The worker's, from the issue: it is done, or `assign` may look at it again, or its pull
    request says what becomes of it.
    """
    if task.repair and outcome.kind is not _DEFERRED:
        return True
    succeeded = outcome.kind is OutcomeKind.SUCCEEDED
    return succeeded or rule_of(outcome.reason).label is Label.OFF


def _once(outcome: Outcome, attempt: int) -> str:
    """A task that is put off again for the same cause has said so already, whoever set it going in
    between; anything else is news of its attempt.
    """
    if outcome.kind is not OutcomeKind.DEFERRED:
        return str(attempt)
    return hashlib.sha256(outcome.message.encode()).hexdigest()[:16]


def _on_pull(task: TaskSpec, worker: str, outcome: Outcome) -> list[Effect]:
    """A pull request that changes protected paths is a draft, whoever opened it, and says why: once
    for the same paths.
    """
    guarded = {outcome.pr: outcome.protected, **outcome.also_protected}
    return [
        effect
        for url, paths in guarded.items()
        if paths
        for effect in _to_draft(task, worker, url, paths)
    ]


def _to_draft(task: TaskSpec, worker: str, url: str, paths: tuple[str, ...]) -> list[Effect]:
    number = url.rpartition("/")[2]
    if not number.isdigit():
        return []
    mark = hashlib.sha256("\0".join(paths).encode()).hexdigest()[:16]
    draft = Effect(
        kind="draft",
        repo=task.repo,
        repo_id=task.repo_id,
        issue=int(number),
        worker=worker,
        text="",
    )
    note = {"kind": "comment", "text": _note(paths), "mark": f"cw:protected:{mark}"}
    return [draft, draft.model_copy(update=note)]


def _note(paths: tuple[str, ...]) -> str:
    listed = "\n".join(f"- {span(_name(path))}" for path in paths)
    return (
        "A draft, because it changes paths that decide what runs here or what agents are told:\n\n"
        f"{listed}\n\nLook at them closely before you mark it ready for review."
    )


def _name(path: str) -> str:
    """Of a file, which is the agent's choice: one line, and no character that is not seen."""
    return "".join(char if char.isprintable() and char != "`" else "?" for char in path)


def _effects(task: TaskSpec, worker: str, *what: tuple[str, str, str]) -> list[Effect]:
    if not task.github or task.issue is None:
        return []
    return [
        Effect.model_validate(
            {
                "kind": kind,
                "repo": task.repo,
                "repo_id": task.repo_id,
                "issue": task.issue,
                "worker": worker,
                "text": text,
                "mark": mark,
                "task": task.id,
            }
        )
        for kind, text, mark in what
    ]


def _comment(task: TaskSpec, worker: str, outcome: Outcome, tail: str) -> str:
    said = {"deferred": "has put this off", "stopped": "was stopped", "failed": "did not finish"}
    work = ""
    if outcome.commits:
        where = "pushed" if outcome.pushed else "in the worker's clone, not pushed"
        work = f"\n\n{outcome.commits} commit(s) on {span(outcome.branch)} are {where}."
    log_part = (
        f"\n\n<details><summary>End of the log</summary>\n\n{block(tail + chr(10))}\n</details>"
        if tail
        else ""
    )
    return (
        f"Worker `{worker}` {said.get(outcome.kind.value, 'ended')}:"
        f" {publishable_words(outcome.message)} ({span(outcome.reason)}, task `{task.id}`)."
        f"{work}{log_part}"
    )


def tail_of(text: str) -> str:
    """As much of the end as fits into a comment."""
    return text if len(text) <= _TAIL_CAP else "…" + text[-_TAIL_CAP:]


def unlabel(task: Task) -> list[Effect]:
    """Takes the worker's label off the issue, if it can carry one."""
    spec, worker = task.spec, task.worker or task.spec.wanted_worker
    if not spec.github or spec.issue is None or not worker:
        return []
    return [
        Effect(
            kind="unlabel",
            repo=spec.repo,
            repo_id=spec.repo_id,
            issue=spec.issue,
            worker=worker,
            text=worker_label(worker),
            task=spec.id,
        )
    ]
