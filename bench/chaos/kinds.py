"""What the agents do, and what has to become of it."""

from __future__ import annotations

import random

PACE = "rehearse: pace 0.01\n"
COMMITS = "rehearse: commit"
_LIES = "rehearse: lie"
_ENDS_BADLY = "rehearse: commit-error\n"
_ONCE = "rehearse: commit-error 529 once\n"  # has committed when it is put off, and goes on
_LINGERS = "rehearse: last linger 4\nrehearse: commit-only\n"  # longer than it may
_LEAVES = "rehearse: last leaves 300\nrehearse: commit-only\n"
# Of its own clone, after its commit. The commit is there all the same.
BREAKS = (
    "git config core.bare true",
    "echo '[broken' >>.git/config",
    "rm .git/config",
    "touch .git/index.lock .git/HEAD.lock .git/config.lock .git/packed-refs.lock",
    "chmod -R a-w .git",
    "git sparse-checkout set nothing-of-it",
    "git update-index --skip-worktree README.md; rm README.md",
    "rm README.md; ln -s /etc/passwd README.md",
    "mkfifo pipe; rm run.sh; mkfifo run.sh",
)
# How often in a hundred. Every one of them ends by itself when left alone.
_KINDS = (
    (32, "rehearse: slow 0.3\nrehearse: no-change\n"),
    (20, "rehearse: slow 0.2\nrehearse: commit-only\n"),
    (12, "rehearse: orphan 300\nrehearse: slow 1\nrehearse: no-change\n"),
    (4, "rehearse: slow 8\nrehearse: no-change\n"),  # longer than a lease
    (3, "rehearse: api-error 529 once\nrehearse: no-change\n"),  # is put off, and goes on
    (3, "rehearse: api-error 401 once\nrehearse: no-change\n"),  # until its key is mended
    (3, "rehearse: usage-limit +6 once\nrehearse: no-change\n"),
    (3, _ONCE),
    (4, _ENDS_BADLY),
    (4, f"{_LIES}\n"),
    (3, _LINGERS),
    (3, _LEAVES),
    (6, ""),  # one of BREAKS
)
_ON_GITHUB = (
    (60, "rehearse: slow 0.3\nrehearse: commit-only\n"),
    (15, _LINGERS),
    (5, _LEAVES),
    (10, _ONCE),
    (10, ""),
)


def chosen(dice: random.Random, *, github: bool) -> str:
    """A prompt. On GitHub each ends in a pull request."""
    kinds = _ON_GITHUB if github else _KINDS
    texts, weights = [text for _, text in kinds], [often for often, _ in kinds]
    text = dice.choices(texts, weights)[0]
    return PACE + (text or f"rehearse: commit-break {dice.choice(BREAKS)}\n")


def needs_issue(prompt: str) -> bool:
    """Without one its end would not tell whether it was believed."""
    return COMMITS in prompt or _LIES in prompt


def reason(prompt: str, *, issue: bool) -> str:
    """With which its task ends, once its agent has come to its end. Who is given an issue has to
    commit something for it, whatever it says.
    """
    if _ENDS_BADLY in prompt:
        return "agent_error"
    return "done" if COMMITS in prompt or not issue else "no_changes"
