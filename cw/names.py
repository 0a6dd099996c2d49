"""Names people type and names made from them: worker ids, task ids, queues, labels, branches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NewType

from cw.errors import BadInputError

TaskId = NewType("TaskId", str)
WorkerId = NewType("WorkerId", str)

POOL_QUEUE = "workers"
FLEET_QUEUE = "fleet"
BLOCKED_LABEL = "blocked"
_WORKER_PREFIX = "worker:"

MAX_PROMPT_BYTES = 1 << 20  # 1 MiB; the 1M-token models take no more

WORKER_PATTERN = r"^[a-z0-9][a-z0-9-]{0,31}$"
_WORKER = re.compile(WORKER_PATTERN)
_TASK_BRANCH = re.compile(
    r"issue-(?P<issue>[1-9][0-9]{0,9})(?:-[1-9][0-9]?)?|task-(?P<task>[0-9a-hjkmnp-tv-z]{26})"
)
TASK_PATTERN = r"^[0-9A-HJKMNP-TV-Z]{26}$"
_TASK = re.compile(TASK_PATTERN)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID_CHARS = 26
_TIME_CHARS = 10  # of them; the rest is random
_RANDOM_BITS = 80


def worker_id(text: str) -> WorkerId:
    """A worker's id as typed. Raises BadInputError: it becomes a folder, a label and a queue."""
    if not _WORKER.fullmatch(text):
        raise BadInputError(
            f"{text!r} is not a worker id",
            hint="Use up to 32 lower-case letters, digits and dashes, for example 01 or docs-fixer",
        )
    return WorkerId(text)


def tag_name(text: str) -> str:
    """A machine's tag as typed. Raises BadInputError."""
    if not _WORKER.fullmatch(text):
        raise BadInputError(
            f"{text!r} is not a tag",
            hint="Use one word such as gpu; cw hosts shows the fleet's tags",
        )
    return text


def is_worker_id(text: str) -> bool:
    return bool(_WORKER.fullmatch(text))


def task_id(text: str) -> TaskId:
    """A task's id as typed, in either case. Raises BadInputError."""
    upper = text.upper()
    if not _TASK.fullmatch(upper):
        raise BadInputError(f"{text!r} is not a task id", hint="cw history shows them")
    return TaskId(upper)


def is_task_id(text: str) -> bool:
    return bool(_TASK.fullmatch(text))


def new_task_id(now_ms: int, random_bits: Callable[[int], int]) -> TaskId:
    """A ULID: sorts by time of creation. Source: github.com/ulid/spec."""
    value = (now_ms << _RANDOM_BITS) | random_bits(_RANDOM_BITS)
    return TaskId("".join(_CROCKFORD[(value >> 5 * i) & 31] for i in reversed(range(_ULID_CHARS))))


def created_at(task: str) -> datetime:
    """When a task's id was made, to the millisecond."""
    value = 0
    for char in task[:_TIME_CHARS]:
        value = value * 32 + _CROCKFORD.index(char)
    return datetime.fromtimestamp(value / 1000, UTC)


def prompt_text(raw: bytes) -> str:
    """A prompt as given, unchanged. Raises BadInputError for what cannot reach an agent whole."""
    if len(raw) > MAX_PROMPT_BYTES:
        raise BadInputError(
            f"the prompt is longer than {MAX_PROMPT_BYTES:,} bytes",
            hint="Put the long part into a file of the repository and name it",
        )
    if b"\0" in raw:
        raise BadInputError("the prompt contains a NUL byte", hint="Remove it; prompts are text")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"the prompt is not UTF-8 (byte {error.start})", hint="Convert it, for example: iconv"
        ) from error
    if not text.strip():
        raise BadInputError("the prompt is empty", hint="Give -p TEXT, or -i N for an issue")
    if text.lstrip().startswith("/"):
        raise BadInputError(
            "a prompt that begins with / would be taken for a slash command and reach no agent",
            hint="Put a word before it",
        )
    return text


def issue_number(text: str) -> int:
    """An issue's number as typed, with or without #. Raises BadInputError."""
    digits = text.removeprefix("#")
    if not re.fullmatch(r"[1-9][0-9]{0,9}", digits):
        raise BadInputError(f"{text!r} is not an issue number", hint="Use for example -i 22")
    return int(digits)


def worker_queue(worker: str) -> str:
    return f"worker.{worker}"


def host_queue(host: str) -> str:
    return f"host.{host}"


def worker_label(worker: str) -> str:
    return f"{_WORKER_PREFIX}{worker}"


def same_label(label: str, other: str) -> bool:
    """As GitHub compares them: it keeps the case in which a label was made, and heeds none."""
    return _folded(label) == _folded(other)


def has_label(labels: Iterable[str], wanted: str) -> bool:
    return any(same_label(label, wanted) for label in labels)


def is_worker_label(label: str) -> bool:
    return _folded(label).startswith(_WORKER_PREFIX)


def worker_of_label(label: str) -> str:
    """The id as workers have it, in lower case; empty when it is no worker's label."""
    return _folded(label).removeprefix(_WORKER_PREFIX) if is_worker_label(label) else ""


def repo_key(repo: str, repo_id: int) -> str:
    """What claims and records of a repository's issues go by: GitHub's id of it, as its name may
    change and be given to another one; else its name, in one case, as GitHub heeds none.
    """
    return f"@{repo_id}" if repo_id else repo.lower()


def same_repo(repo: str, other: str) -> bool:
    """Names of repositories on GitHub, which heeds no case. Of two names it may be one all the
    same: only its id tells.
    """
    return repo.lower() == other.lower()


def _folded(label: str) -> str:
    return label.strip().lower()


def branch_name(task: str, issue: int | None, number: int = 1) -> str:
    """`number`: 2 and more when the names before are taken. That of a task without an issue is
    nobody else's.
    """
    if issue is None:
        return f"task-{task.lower()}"
    return f"issue-{issue}" if number == 1 else f"issue-{issue}-{number}"


def is_task_branch(name: str) -> bool:
    """Of whichever task."""
    return bool(_TASK_BRANCH.fullmatch(name))


def owner_of_branch(name: str) -> int | str | None:
    """By its name: the number of an issue, or a task's id; None when it is no task's."""
    found = _TASK_BRANCH.fullmatch(name)
    if found is None:
        return None
    return int(found["issue"]) if found["issue"] else found["task"].upper()
