"""`python -m workerhost.local QUESTION [ARGUMENT...]`: one answer a line, as JSON.

    doctor [PROGRAM...]   what agents need of this machine; each answer is a `cw.check.Check`
    commits WORKER...     {worker, why, advice} for each whose git cannot commit
    changes WORKER TASK   what the task has changed in its clone, as `workerhost.clones.changes`

An error is the last line, {error: {message, hint}}, and the exit status is the error's own.
Needs neither a broker nor a host that runs. Standard error is for what nobody foresaw.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cw.errors import BadInputError, CwError
from cw.homes.layout import Home
from cw.settings import Settings, load_settings

Answers = Iterator[dict[str, Any]]


def main(words: Sequence[str], environ: Mapping[str, str]) -> int:
    os.umask(0o077)
    try:
        settings, _ = load_settings(environ)
        question, *arguments = words or ("",)
        if question not in QUESTIONS:
            raise BadInputError(
                f"nobody asks {question!r} here", hint=f"Ask {', '.join(QUESTIONS)}"
            )
        for answer in QUESTIONS[question](settings, environ, arguments):
            _say(answer)
    except CwError as error:
        _say({"error": {"message": error.message, "hint": error.hint}})
        return error.exit_code
    return 0


def _say(answer: dict[str, Any]) -> None:
    """At once: each may take seconds, and somebody watches."""
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


def _doctor(settings: Settings, environ: Mapping[str, str], programs: Sequence[str]) -> Answers:
    from dataclasses import asdict

    from workerhost.local.doctor import checks

    return (asdict(check) for check in checks(settings, environ, tuple(programs)))


def _commits(settings: Settings, environ: Mapping[str, str], workers: Sequence[str]) -> Answers:
    from cw.credentials.known import redactor_for
    from workerhost.clones.committing import advice, cannot_commit
    from workerhost.walls.isolation import choose_wall

    wall = choose_wall(settings)
    for home in (_home(settings, worker) for worker in workers):
        if why := cannot_commit(home, wall, settings, environ):
            clean = redactor_for(home, settings, environ)
            yield {"worker": home.id, "why": clean(why), "advice": advice(home)}


def _changes(settings: Settings, environ: Mapping[str, str], words: Sequence[str]) -> Answers:
    from cw.credentials.agentenv import agent_environment
    from cw.credentials.known import redactor_for
    from workerhost.clones.changes import changes
    from workerhost.walls.isolation import choose_wall

    worker, task = words
    home = _home(settings, worker)
    env = agent_environment(home, settings, environ)
    found = changes(home, choose_wall(settings), settings, env, task)
    yield redactor_for(home, settings, environ).deep(found)


def _home(settings: Settings, worker: str) -> Home:
    return Home(settings.workers_root / worker)


QUESTIONS: dict[str, Callable[[Settings, Mapping[str, str], Sequence[str]], Answers]] = {
    "doctor": _doctor,
    "commits": _commits,
    "changes": _changes,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
