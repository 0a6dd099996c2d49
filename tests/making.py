"""Records for tests: complete, and different only where a test says so."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cw.homes.journal import Journal, Run
from cw.keyring import make_keyring, new_key
from cw.models import Outcome, Task, TaskSpec
from cw.names import new_task_id
from cw.states import OutcomeKind, State

KEYRING = make_keyring(["the key of the tests, 32 characters"])
NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


def make_id() -> str:
    return new_task_id(int(time.time() * 1000), secrets.randbits)


def give_key(folder: Path) -> str:
    """A key file that several machines have, as CW_SIGNING_KEY_FILE names it."""
    path = folder / "signing.key"
    path.touch(mode=0o600)
    path.write_text(f"{new_key()}\n", encoding="ascii")
    return str(path)


def make_spec(**changed: Any) -> TaskSpec:
    whole: dict[str, Any] = {
        "id": make_id(),
        "repo": "acme/app",
        "repo_url": "https://github.com/acme/app.git",
        "repo_folder": "acme/app",
        "github": True,
        "issue": 22,
        "title": "The build fails",
        "model": "sonnet",
        "created_at": NOW,
    }
    return TaskSpec(**(whole | changed))


def make_task(state: State, *, spec: TaskSpec | None = None, **changed: Any) -> Task:
    return Task(spec=spec or make_spec(), state=state, **changed)


def make_outcome(kind: OutcomeKind = OutcomeKind.SUCCEEDED, **changed: Any) -> Outcome:
    return Outcome(**{"kind": kind, "reason": "done", "message": "1 commit pushed", **changed})


def make_journal(**changed: Any) -> Journal:
    run = Run(worker="01", host="here", attempt=1, fence=7, session="s", started_at=NOW)
    return Journal(**{"phase": "running", "task": make_spec(), "run": run, **changed})
