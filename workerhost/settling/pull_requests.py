"""The pull requests of a run: found, opened, and those looked for that nobody told of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cw.errors import CwError, GitHubUnavailableError
from cw.homes.journal import Run
from cw.models import Repair, TaskSpec
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.verdict import UNPROVEN, Evidence, Verdict

if TYPE_CHECKING:
    from cw.forges.client import Pulls, Settling
    from cw.forges.pulls import Pull

_CLOCKS = timedelta(minutes=5)  # by which GitHub's may differ from ours
_MOST = 5  # that the message names
_PATHS = 200  # characters of each one's
_LOOKED_AT = 20  # others; each may have to be fetched

Guard = Callable[[str], tuple[str, ...]]  # protected paths that a head changes


@dataclass(frozen=True, slots=True)
class FoundPulls:
    """Open ones: of the task's branch, and others that its account opened meanwhile. `untold`: why
    they are not known. `away`: GitHub may tell later.
    """

    mine: Sequence[Pull] = ()
    others: Sequence[Pull] = ()
    away: bool = False
    untold: str = ""


def look(ended: EndedRun) -> FoundPulls:
    """However the run ended: an agent opens what it likes from whatever branch it likes. All
    workers may use one account, so what is opened from other tasks' branches is left to these.
    """
    task, github = ended.task, ended.github
    if github is None or not ended.run.clone:
        return FoundPulls()
    since = ended.since - _CLOCKS
    try:
        mine, ours = github.opened(task.repo, task.branch, since)
    except CwError as error:
        return FoundPulls(away=isinstance(error, GitHubUnavailableError), untold=error.message)
    others = [pull for pull in ours if not (pull.branch and ended.theirs(pull.branch, since))]
    more = f"there are more than {_LOOKED_AT}" if len(others) > _LOOKED_AT else ""
    return FoundPulls(mine, others[:_LOOKED_AT], untold=more)


def of_branch(
    ended: EndedRun, evidence: Evidence, guard: Guard, found: FoundPulls, *, unread: bool = False
) -> tuple[Evidence, Pull | None]:
    """Find the pull request of the branch, or open it: as a draft when it changes what `guard`
    names, or `unread`: another worker is to read it first. For a repair none is opened: its own is
    as it was, or over.
    """
    task, run, github = ended.task, ended.run, ended.github
    repair = task.repair
    ready = (evidence.commits or evidence.answered) and evidence.remote_head == evidence.head
    if not (evidence.wants_pull and (ready or evidence.landed)):
        return evidence, None
    if github is None:
        return replace(evidence, pull_error="no GitHub token to look it up with"), None
    try:
        pull = github.find_pull(task.repo, task.branch, repair.base if repair else run.base)
        merged = bool(pull and pull.merged and pull.head == evidence.head)
        if evidence.landed:
            return (_landed(evidence), pull) if merged else (evidence, None)
        if repair and not (pull and pull.number == repair.number and (pull.open or merged)):
            return replace(evidence, pull_error=_over(repair, pull)), None
        opened = _opened(ended, found, pull) if pull else None
        if not (pull and (pull.open or merged)):
            pull = opened = github.open_pull(
                task.repo,
                branch=task.branch,
                base=run.base,
                title=_title(task),
                body=_body(task, run, evidence.report),
                draft=unread or bool(guard(evidence.head)),
            )
        base = "" if merged or repair else _put_right(github, task, run, pull, found)
        drafted = unread and not guard(pull.head) and _drafted(github, task, opened)
    except GitHubUnavailableError:
        return replace(evidence, pull_away=True), None
    except CwError as error:
        return replace(evidence, pull_error=error.message), None
    told = replace(evidence, pull_head=pull.head, pull_base=base, protected=guard(pull.head))
    return replace(told, drafted=drafted), pull


def _opened(ended: EndedRun, found: FoundPulls, pull: Pull) -> Pull | None:
    """The same, if it is one that the agent has opened just now."""
    since = ended.since - _CLOCKS
    return next(
        (
            mine
            for mine in found.mine
            if mine.number == pull.number and mine.ours and mine.at and mine.at >= since
        ),
        None,
    )


def _drafted(github: Settling, task: TaskSpec, pull: Pull | None) -> bool:
    """Whether it is a draft now. One that a person opened, or that was there before, stays as it
    is; not every plan of GitHub's has drafts.
    """
    if pull is None or not pull.open:
        return False
    return pull.draft or github.to_draft(task.repo, pull.number)


def _over(repair: Repair, pull: Pull | None) -> str:
    merged = pull is not None and pull.number == repair.number and pull.merged
    return f"{repair.url} was {'merged without it' if merged else 'closed'} meanwhile"


def _landed(evidence: Evidence) -> Evidence:
    """Merged while the task went on: there is no more to prove."""
    head = evidence.head
    return replace(evidence, commits=evidence.landed, remote_head=head, pull_head=head)


def _put_right(github: Pulls, task: TaskSpec, run: Run, pull: Pull, found: FoundPulls) -> str:
    """A pull request into another branch than the default one closes no issue. Ours is given the
    right base; of another's it is said. Empty: it is right.
    """
    if not pull.base or pull.base == run.base:
        return ""
    ours = any(mine.number == pull.number and mine.ours for mine in found.mine)
    why = f"which {pull.author or 'somebody else'} opened"
    if ours:
        try:
            github.retarget(task.repo, pull.number, run.base)
        except GitHubUnavailableError:
            raise
        except CwError as error:
            why = f"and cannot be changed: {error.message}"
        else:
            return ""
    return (
        f"pull request {pull.url} goes into {pull.base}, {why}; change it with:"
        f" gh pr edit {pull.number} --repo {task.repo} --base {run.base}"
    )


def beside(branches: Mapping[str, str], found: FoundPulls) -> list[str]:
    """Each branch beside the task's own in words, with its open pull request."""
    urls = {pull.branch: pull.url for pull in found.others if pull.branch}
    return [
        f"{name} ({sha[:12]}{f', pull request {urls[name]}' if name in urls else ''})"
        for name, sha in branches.items()
    ]


def guarded(found: FoundPulls, pull: Pull | None, guard: Guard) -> dict[str, tuple[str, ...]]:
    """Of all but `pull`, those that change protected paths, with these."""
    others = (
        other for other in (*found.mine, *found.others) if not pull or other.number != pull.number
    )
    return {other.url: paths for other in others if (paths := guard(other.head))}


def told(verdict: Verdict, found: FoundPulls, also: Mapping[str, Sequence[str]]) -> Verdict:
    """With what a person has to know of other pull requests."""
    more = [
        f"it also opened {url}, which changes protected paths: {', '.join(paths)[:_PATHS]}"
        for url, paths in list(also.items())[:_MOST]
    ]
    if found.untold and verdict.reason not in UNPROVEN:
        more.append(f"which pull requests it opened is not known: {found.untold}")
    return replace(verdict, message="; ".join([verdict.message, *more]))


def _title(task: TaskSpec) -> str:
    """Of the issue, which anybody may have named."""
    from cw.github.publishable import publishable_title

    return publishable_title(task.title) or f"Work on issue {task.issue}"


def _body(task: TaskSpec, run: Run, report: str) -> str:
    """It closes the task's own issue; what the agent says there closes nothing."""
    from cw.github.publishable import publishable

    return (
        f"Fixes #{task.issue}\n\n{publishable(report)}\n\n"
        f"---\nOpened by Claude Workers for worker `{run.worker}`, task `{task.id}`."
    )
