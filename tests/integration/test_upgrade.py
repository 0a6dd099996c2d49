"""What the version before left behind, with runs under way, is read and goes on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.upgrade.templates import Place
from cw.models import Task
from cw.states import OutcomeKind, State
from cw.store.outbox import Effect
from tests.integration.cloning import run
from tests.integration.hosting import Machine, machine
from tests.integration.upgrading import restore, still_running
from tests.typed import typed
from tests.waiting import wait_until

BEFORE = Path(__file__).parent / "upgraded" / "0.1.0"


@pytest.fixture
def left(tmp_path: Path) -> Iterator[tuple[Machine, Place]]:
    with machine(tmp_path, below="/tmp", CW_AGENT_ENV="") as one:
        yield one, restore(one, BEFORE)


@pytest.fixture
def here(left: tuple[Machine, Place]) -> Machine:
    return left[0]


def type_(here: Machine, *words: str) -> subprocess.CompletedProcess[bytes]:
    done = typed(*words, env=here.env(), cwd=here.folder, stdin=b"")
    assert done.returncode == 0, done.stderr.decode()
    return done


def titled(here: Machine) -> dict[str, Task]:
    return {one.spec.title: one for one in here.store().tasks.all_tasks()}


def ends(here: Machine, title: str) -> Task:
    wait_until(lambda: titled(here)[title].state is State.DONE, 60, here.log)
    task = titled(here)[title]
    assert task.outcome
    assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome
    assert task.outcome.head == run(here.repo, "rev-parse", task.branch)
    return task


def goes_on(here: Machine, title: str) -> Task:
    """Once a beat's sweep has found it."""
    wait_until(lambda: here.sweep() and titled(here)[title].attempt == 2, 60, here.log)
    return ends(here, title)


def test_work_of_the_version_before_goes_on_and_its_run_is_adopted(here: Machine) -> None:
    was = titled(here)
    states = {title: task.state.value for title, task in was.items()}
    assert states == {title: title.lower() for title in was}
    with still_running(here, BEFORE, "04") as go:
        here.start()
        type_(here, "resume", "01")
        ends(here, "Queued")  # by the message that waits for it
        type_(here, "restart", was["Stopped"].spec.id)
        again = [goes_on(here, title) for title in ("Stopped", "Held")]
        under_way = titled(here)["Running"]
        go.touch()
        adopted = ends(here, "Running")

    assert under_way.state is State.RUNNING
    assert [task.session for task in again] == [was["Stopped"].session, was["Held"].session]
    assert (adopted.attempt, adopted.losses) == (1, 0)
    assert adopted.session == was["Running"].session
    assert [one.kind for one in here.events(adopted.spec)].count("init") == 1
    assert "refused" not in here.log()


def test_programs_find_in_json_what_the_version_before_said(
    left: tuple[Machine, Place],
) -> None:
    here, place = left
    for words in ("history", "show 01", "status"):
        text = (BEFORE / f"{words.split()[0]}.json").read_text("utf-8")

        said = json.loads(type_(here, *words.split(), "--json").stdout)

        before = json.loads(place.restored(text))
        assert lost(before, said, as_it_was=words != "status") == []


def test_writes_to_github_that_waited_are_still_meant(here: Machine) -> None:
    (entry,) = here.store().outbox.pending("there")

    assert entry.effect == Effect(
        kind="comment", repo="acme/app", issue=22, worker="01", text="Done", mark="m"
    )


def test_logs_audit_and_settings_of_the_version_before_are_read(here: Machine) -> None:
    was = titled(here)

    done = type_(here, "logs", was["Done"].spec.id)
    running = type_(here, "logs", was["Running"].spec.id)
    audit = type_(here, "audit", "verify")
    (limit,) = json.loads(type_(here, "config", "run.time_limit", "--json").stdout)

    assert b"All done." in done.stdout
    assert b"until test -e ../../../tmp/go" in running.stdout
    assert b"9 lines, all as they were written" in audit.stdout
    assert limit["value"] == "5400"
    assert b"config.toml has old names: run_time_limit is now time_limit in [run]" in done.stderr


def lost(before: Any, said: Any, *, as_it_was: bool, at: str = "") -> list[str]:
    """What is not there any more, or is of another kind; or, `as_it_was`, is not the same."""
    if isinstance(before, dict) and isinstance(said, dict):
        pairs = {name: (old, said.get(name)) for name, old in before.items()}
        gone = [f"{at}.{name} is gone" for name in pairs if name not in said]
    elif isinstance(before, list) and isinstance(said, list):
        pairs, gone = dict(enumerate(zip(before, said, strict=False))), []
        if as_it_was and len(before) != len(said):
            gone = [f"{at} has {len(said)}, not {len(before)}"]
    else:
        same = before == said if as_it_was else None in {before, said} or type(before) is type(said)
        return [] if same else [f"{at} was {before!r} and is {said!r}"]
    return gone + [
        line
        for name, (old, new) in pairs.items()
        for line in lost(old, new, as_it_was=as_it_was, at=f"{at}.{name}")
    ]
