"""What a repair's end is judged by beside the rules of every task."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cw.errors import TooLargeError, WorkspaceError
from cw.homes.journal import Run
from cw.models import Repair
from cw.pulls.answers import AnswerKind, answers
from cw.pulls.record import Cause
from cw.reasons import Reason
from workerhost.clones.merging import merge
from workerhost.clones.quarantine import Quarantine
from workerhost.clones.workspace import GitState
from workerhost.settling.changed_lines import counted
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.verdict import Breach, Evidence

_DIFF = ("diff", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")


def with_answers(evidence: Evidence, run: Run, report: str) -> Evidence:
    """`report`: what the agent said, for what that is worth."""
    said = answers(report)
    kinds = [said[number].kind if number in said else None for number in run.threads]
    claimed = [f"[{at}]" for at in run.threads if at in said and said[at].kind is AnswerKind.FIXED]
    answered = bool(kinds) and set(kinds) == {AnswerKind.ANSWERED}
    return replace(evidence, answered=answered, claimed=", ".join(claimed))


def overdone(box: Quarantine, ended: EndedRun, state: GitState) -> list[Breach]:
    """Commits that change nothing, and tests that were made to fit. Nothing of what went wrong
    anyway.
    """
    repair = ended.task.repair
    if repair is None or not state.commits:
        return []
    try:
        return _overdone(box, _Span.of(box, ended, repair, state), repair, state)
    except TooLargeError as error:
        return [Breach(Reason.TOO_LARGE, f"what it changed is too large to be counted: {error}")]
    except WorkspaceError as error:
        return [Breach(Reason.NOT_JUDGED, f"what it changed cannot be counted: {error}")]


@dataclass(frozen=True, slots=True)
class _Span:
    """What a repair has changed: from a tree on. `merged`: it has brought in the base, whose own
    changes are part of that tree.
    """

    tree: str
    merged: bool

    @classmethod
    def of(cls, box: Quarantine, ended: EndedRun, repair: Repair, state: GitState) -> _Span:
        """Raises WorkspaceError."""
        begun = (ended.start.branch_sha if ended.start else "") or repair.head
        base = (state.there or {}).get(f"refs/heads/{repair.base}", "") or ended.run.base_sha
        part = box.run("merge-base", state.head, base).out.strip() if box.obtained(base) else ""
        if not part or box.is_ancestor(part, begun):
            return cls(_tree(box, begun), merged=False)
        made = merge(box.run, begun, part)
        return cls(made.tree if made else _tree(box, begun), merged=True)


def _overdone(box: Quarantine, span: _Span, repair: Repair, state: GitState) -> list[Breach]:
    if not span.merged and span.tree == _tree(box, state.head):
        what = "its commit changes" if state.commits == 1 else f"its {state.commits} commits change"
        return [Breach(Reason.NO_CHANGES, f"{what} nothing")]
    if repair.cause != Cause.CHECKS:
        return []
    lines = counted(box.need(*_DIFF, span.tree, state.head, "--").split("\0"))
    if lines.checks <= lines.code:
        return []
    many = f"{lines.checks} {'line' if lines.checks == 1 else 'lines'} of tests and CI"
    told = f"it changed {many}, and {lines.code} of code: look before it is merged"
    return [Breach(Reason.TESTS_CHANGED, told)]


def _tree(box: Quarantine, sha: str) -> str:
    return box.need("rev-parse", "--verify", f"{sha}^{{tree}}").strip()
