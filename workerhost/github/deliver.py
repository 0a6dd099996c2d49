"""Carrying out the outbox: labels and comments on GitHub, each once, in order."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from cw.errors import CwError, GitHubUnavailableError
from cw.github.drafts import to_draft
from cw.models import Outcome, TaskSpec
from cw.names import BLOCKED_LABEL, worker_label
from cw.states import OutcomeKind
from cw.store.outbox import Effect, OutboxStore
from workerhost.github.delivered import Delivered

if TYPE_CHECKING:
    from cw.github.client import GitHub

log = logging.getLogger("workerhost.deliver")

_TAIL_CAP = 3000


def deliver(
    outbox: OutboxStore,
    host: str,
    delivered: Delivered,
    github_for: Callable[[str], GitHub | None],
) -> int:
    """Do what can be done now; stops at the first write that GitHub cannot take yet.

    Repeating an effect that was carried out and not yet remembered changes nothing.
    """
    done = 0
    while entry := outbox.first(host):
        if delivered.knows(entry.id):
            log.warning("effect dropped: it was carried out before host=%s", host)
        elif not _carried_out(entry.effect, github_for):
            return done
        delivered.add(entry.id, entry.until)
        outbox.done(host, entry)
        done += 1
    return done


def _carried_out(effect: Effect, github_for: Callable[[str], GitHub | None]) -> bool:
    """False: not yet. What never can be is as good as done."""
    github = github_for(effect.worker)
    if github is None:
        log.warning("effect dropped: no token kind=%s repo=%s", effect.kind, effect.repo)
        return True
    try:
        _perform(effect, github)
    except GitHubUnavailableError as error:
        log.warning("effect waits kind=%s repo=%s: %s", effect.kind, effect.repo, error)
        return False
    except CwError as error:
        log.warning("effect dropped kind=%s repo=%s: %s", effect.kind, effect.repo, error)
    return True


def _perform(effect: Effect, github: GitHub) -> None:
    if effect.kind == "label":
        github.ensure_label(effect.repo, effect.text, f"Claude {effect.text.replace(':', ' ')}")
        github.add_label(effect.repo, effect.issue, effect.text)
    elif effect.kind == "unlabel":
        github.remove_label(effect.repo, effect.issue, effect.text)
    elif effect.kind == "draft":
        to_draft(github, effect.repo, effect.issue)
    else:
        github.comment_once(effect.repo, effect.issue, effect.text, effect.mark)


def on_start(task: TaskSpec, worker: str) -> list[Effect]:
    """The issue shows who has it, also when the pool decided."""
    return _effects(task, worker, ("label", worker_label(worker), ""))


def on_outcome(
    task: TaskSpec, worker: str, attempt: int, outcome: Outcome, tail: str
) -> list[Effect]:
    """Success takes the label off; anything else says why and leaves it. What only a person can
    move is labelled `blocked` as well.
    """
    pull = _on_pull(task, worker, outcome)
    if outcome.kind is OutcomeKind.SUCCEEDED:
        return [*pull, *_effects(task, worker, ("unlabel", worker_label(worker), ""))]
    mark = f"cw:{task.id}:{attempt}:{outcome.reason}"
    what = [("comment", _comment(task, worker, outcome, tail), mark)]
    if outcome.reason == "issue_changed":  # `assign` may look at it again
        what.append(("unlabel", worker_label(worker), ""))
    if outcome.reason in {"blocked", "lost", "host_killed"}:
        what.append(("label", BLOCKED_LABEL, ""))
    return [*pull, *_effects(task, worker, *what)]


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
    listed = "\n".join(f"- `{_in_code(one)}`" for one in paths)
    return (
        "A draft, because it changes paths that decide what runs here or what agents are told:\n\n"
        f"{listed}\n\nLook at them closely before you mark it ready for review."
    )


def _in_code(path: str) -> str:
    """The name of a file is the agent's choice: it must not end the code it stands in."""
    return "".join(one if one.isprintable() and one != "`" else "?" for one in path)


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
            }
        )
        for kind, text, mark in what
    ]


def _comment(task: TaskSpec, worker: str, outcome: Outcome, tail: str) -> str:
    said = {"deferred": "has put this off", "stopped": "was stopped", "failed": "did not finish"}
    work = ""
    if outcome.commits:
        where = "pushed" if outcome.pushed else "in the worker's clone, not pushed"
        work = f"\n\n{outcome.commits} commit(s) on `{outcome.branch}` are {where}."
    # Fenced with more backticks than the log can contain in a row.
    fence = "`" * max(3, 1 + _longest_run(tail, "`"))
    log_part = (
        f"\n\n<details><summary>End of the log</summary>\n\n{fence}\n{tail}\n{fence}\n</details>"
    )
    message = outcome.message.replace("@", "@\u200b")  # an agent's words must not call anybody
    return (
        f"Worker `{worker}` {said.get(outcome.kind.value, 'ended')}: {message}"
        f" (`{outcome.reason}`, task `{task.id}`).{work}{log_part if tail else ''}"
    )


def _longest_run(text: str, char: str) -> int:
    longest = current = 0
    for one in text:
        current = current + 1 if one == char else 0
        longest = max(longest, current)
    return longest


def tail_of(text: str) -> str:
    """As much of the end as fits into a comment."""
    return text if len(text) <= _TAIL_CAP else "…" + text[-_TAIL_CAP:]
