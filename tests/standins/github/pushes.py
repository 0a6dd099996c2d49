"""What a changed branch means for pull requests."""

from . import ci, gitdiff, gitrepo
from .model import Issue, Pull, Push, Repo
from .state import State

NO_COMMIT = "0" * 40


def after_push(state: State, repo: Repo, actor: str) -> None:
    """Look at all branches of the repository and bring the pull requests up to date."""
    with state.lock:
        repo.pushed_at = state.now()
        heads = gitrepo.heads(repo.path)
        _note(state, repo, heads, actor)
        for target in state.repos.values():
            for issue in target.issues.values():
                if issue.pull and issue.state == "open":
                    _refresh(state, repo, target, issue, heads, actor)


def _note(state: State, repo: Repo, heads: dict[str, str], actor: str) -> None:
    known = repo.known_heads
    for name in sorted(known.keys() | heads.keys()):
        before, after = known.get(name, NO_COMMIT), heads.get(name, NO_COMMIT)
        if before != after:
            push = Push(
                id=state.new_id(),
                ref=f"refs/heads/{name}",
                before=before,
                after=after,
                actor=actor,
                at=state.now(),
            )
            repo.pushes.append(push)
            if after != NO_COMMIT:
                ci.on_push(state, repo, name, after)
    repo.known_heads = heads


def _refresh(
    state: State,
    pushed: Repo,
    target: Repo,
    issue: Issue,
    heads: dict[str, str],
    actor: str,
) -> None:
    pull = issue.pull
    if pull is None:
        return
    if pull.head_repo == pushed.full_name:
        _follow_head(state, pushed, target, issue, heads, actor)
    if target is pushed and issue.state == "open":
        base = heads.get(pull.base_ref)
        if base and base != pull.base_sha:
            _follow_base(state, target, issue, base, actor)


def _follow_head(
    state: State,
    source: Repo,
    target: Repo,
    issue: Issue,
    heads: dict[str, str],
    actor: str,
) -> None:
    pull = issue.pull
    if pull is None:
        return
    sha = heads.get(pull.head_ref)
    if sha is None:
        close(state, issue, actor)
    elif sha != pull.head_sha:
        pull.head_sha = sha
        keep_head(source, target, issue.number, pull)
        _move_threads(target, pull)
        state.touch(issue)


def _move_threads(repo: Repo, pull: Pull) -> None:
    """A thread is outdated when its line was changed; else it is where its line is now."""
    for thread in pull.threads:
        if thread.line is None or thread.outdated:
            continue
        line = gitdiff.moved_line(repo.path, thread.sha, pull.head_sha, thread.path, thread.line)
        if line is None:
            thread.outdated = True
        else:
            thread.line, thread.sha = line, pull.head_sha


def _follow_base(state: State, target: Repo, issue: Issue, base: str, actor: str) -> None:
    """A pull request whose commits reached the base by a push counts as merged."""
    pull = issue.pull
    if pull and gitrepo.is_ancestor(target.path, pull.head_sha, base):
        mark_merged(state, issue, actor, base)
    elif pull:
        pull.base_sha = base


def keep_head(source: Repo, target: Repo, number: int, pull: Pull) -> None:
    gitrepo.fetch_between(target.path, source.path, pull.head_sha, f"refs/pull/{number}/head")


def mark_merged(state: State, issue: Issue, actor: str, sha: str) -> None:
    if issue.pull is None:
        return
    issue.pull.merged_at = state.now()
    issue.pull.merged_by = actor
    issue.pull.merge_sha = sha
    state.add_event(issue, "merged", actor, commit=sha)
    close(state, issue, actor)


def close(state: State, issue: Issue, actor: str, reason: str | None = None) -> None:
    issue.state = "closed"
    issue.state_reason = None if issue.pull else reason or "completed"
    issue.closed_at = state.now()
    issue.closed_by = actor
    state.add_event(issue, "closed", actor)
