"""The way of a task, from what is typed to the label that goes, and which code is at each step."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from bench.architecture import svg

# What happens, and where: file, and the function or method in it.
STEPS = (
    ("cw dispatch: what was typed is checked", "cw/cli/commands/dispatch.py", "command"),
    ("the issue is claimed, a task recorded", "cw/operations/dispatch/dispatching.py", "dispatch"),
    ("its worker's label is set", "cw/operations/dispatch/worker_label.py", "mark_issue"),
    ("a hint is sent; the sweep sends it again", "cw/broker/app.py", "send_hint"),
    ("a host's queue: is the message signed?", "workerhost/inbox/admission.py", "admit"),
    ("a worker is kept for it, its queue off", "workerhost/inbox/queue_consumer.py", "on_message"),
    ("are the walls proven, is the record signed?", "workerhost/runs/attempt.py", "run_task"),
    ("the lease, with a higher fence", "cw/store/leases.py", "acquire"),
    ("the issue as approved; whose words count", "workerhost/prompts/trusted_comments.py", "hear"),
    ("the clone, from the host's mirror", "workerhost/clones/preparing.py", "prepare"),
    ("the prompt", "workerhost/prompts/briefing.py", "brief"),
    ("shim, bubblewrap, claude, its sandbox", "workerhost/agents/launch.py", "start"),
    ("the log becomes events; the lease is renewed", "workerhost/agents/follow.py", "follow"),
    ("the exit record and the last word", "workerhost/settling/verdict.py", "judge_process"),
    ("commits, secrets, push, pull request", "workerhost/settling/settle.py", "settle"),
    ("what is proven decides", "workerhost/settling/verdict.py", "judge_work"),
    ("the outcome recorded, if the fence is still ours", "workerhost/runs/recording.py", "record"),
    ("the archive in HOME", "cw/homes/journal.py", "archive"),
    ("label off, or a comment with the reason", "workerhost/github/outbox_delivery.py", "deliver"),
)  # fmt: skip

_LEFT = 20
_WIDTH = 400
_ROW = 40
_TOP = 60


def draw(root: Path) -> str:
    """Raises ValueError for a step whose code is not where it is said to be."""
    wide, deep = _LEFT + _WIDTH + 460, _TOP + _ROW * len(STEPS) + 6
    return svg.picture(wide, deep, "The way of a task", [*_parts(root)])


def _parts(root: Path) -> Iterator[str]:
    yield svg.words(_LEFT, 28, "The way of a task", size=16)
    yield svg.words(_LEFT + _WIDTH + 30, 28, "where the code is", size=13, ink=svg.PALE)
    middle = _LEFT + _WIDTH / 2
    for at, (text, path, name) in enumerate(STEPS):
        if not _has(root / path, name):
            raise ValueError(f"{path} has no {name}")
        top = _TOP + at * _ROW
        yield svg.box(_LEFT, top, _WIDTH, _ROW - 12, _fill(path))
        yield svg.words(middle, top + 19, text, anchor="middle")
        yield svg.words(_LEFT + _WIDTH + 30, top + 19, f"{path}: {name}", size=12, ink=svg.PALE)
        if at:
            yield svg.arrow((middle, top - 12), (middle, top))


def _fill(path: str) -> str:
    return svg.HOST if path.startswith("workerhost/") else svg.CORE


def _has(path: Path, name: str) -> bool:
    if not path.is_file():
        return False
    tree = ast.parse(path.read_text("utf-8"))
    return any(isinstance(one, ast.FunctionDef) and one.name == name for one in ast.walk(tree))
