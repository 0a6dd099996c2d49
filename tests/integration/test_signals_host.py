"""A host that is told to stop: what becomes of its runs is chosen, and nothing is charged."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cw.homes.running import shim_lives
from cw.models import TaskSpec
from cw.states import OutcomeKind, State
from tests.integration.cloning import run
from tests.integration.hosting import Machine, machine
from tests.integration.test_adoption import SLOW, under_way
from tests.procs import running_commands
from tests.waiting import wait_until

PACE = "rehearse: pace 0.05\n"
DRAFT = f"{PACE}rehearse: probe draft.txt\nrehearse: hang once\n"


def drafted(here: Machine, spec: TaskSpec) -> Path:
    """The agent hangs, with something that it has not committed."""
    under_way(here, spec)
    draft = here.home().clones / spec.repo_folder / "draft.txt"
    wait_until(draft.exists, what="work to lose")
    return draft.parent


def assert_interrupted(here: Machine, spec: TaskSpec, clone: Path) -> None:
    task = here.task(spec)
    assert (task.state, task.losses, task.deferrals) == (State.QUEUED, 0, 0)
    assert (task.worker, task.attempt, task.outcome) == ("01", 1, None)
    assert not shim_lives(here.home())
    assert len(here.agents("end")) == 1
    assert run(clone, "show", f"refs/cw/wip/{spec.id.lower()}:draft.txt") == "rehearsal"
    archived, _ = here.archive()
    assert archived["outcome"]["reason"] == "interrupted"


def assert_resumes(here: Machine, spec: TaskSpec) -> None:
    here.start()
    task = here.reaches(spec, State.DONE)
    first, second = here.agents()
    assert first["session"] == second["session"] == task.session
    assert (first["resumed"], second["resumed"]) == (False, True)
    assert (task.attempt, task.losses, task.deferrals) == (2, 0, 0)
    assert task.outcome
    assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome.message


def test_draining_host_sees_its_run_through_and_takes_nothing_new(git_repo: Path) -> None:
    with machine(git_repo, CW_ON_STOP="drain") as here:
        here.add_worker("02")
        host = here.start()
        spec = here.dispatch(SLOW)
        under_way(here, spec)

        host.terminate()
        wait_until(lambda: here.store().fleet.hosts()[0].unfit, 20, here.log)
        later = here.dispatch(SLOW, wanted_worker=None)

        assert host.wait(60) == 0
        task = here.task(spec)
        assert (task.state, task.attempt, task.losses) == (State.DONE, 1, 0)
        assert here.task(later).state is State.QUEUED
        assert len(here.agents()) == 1
        assert here.store().fleet.hosts()[0].seen_at is None


def test_interrupting_host_ends_its_run_which_goes_on_at_its_next_start(git_repo: Path) -> None:
    with machine(git_repo, CW_ON_STOP="interrupt") as here:
        host = here.start()
        spec = here.dispatch(DRAFT)
        clone = drafted(here, spec)

        host.terminate()

        assert host.wait(20) == 0
        assert_interrupted(here, spec, clone)
        assert_resumes(here, spec)


def test_second_signal_interrupts_what_the_first_waits_for(git_repo: Path) -> None:
    with machine(git_repo, CW_ON_STOP="drain") as here:
        host = here.start()
        spec = here.dispatch(DRAFT)
        clone = drafted(here, spec)

        host.terminate()
        wait_until(lambda: here.store().fleet.hosts()[0].unfit, 20, here.log)
        assert shim_lives(here.home())
        host.terminate()

        assert host.wait(20) == 0
        assert_interrupted(here, spec, clone)
        assert_resumes(here, spec)


@pytest.mark.parametrize("on_stop", ["interrupt", "drain"])
def test_adopted_run_is_treated_like_any_other(git_repo: Path, on_stop: str) -> None:
    with machine(git_repo, CW_ON_STOP=on_stop) as here:
        first = here.start()
        spec = here.dispatch(DRAFT if on_stop == "interrupt" else SLOW)
        under_way(here, spec)
        fence = here.task(spec).fence
        first.kill()
        first.wait()
        host = here.start()
        wait_until(lambda: here.task(spec).fence > fence, what="the adoption")
        wait_until(lambda: here.log().count(" ready.") == 2, what="the consumer")

        host.terminate()

        assert host.wait(60) == 0
        task = here.task(spec)
        wanted = State.QUEUED if on_stop == "interrupt" else State.DONE
        assert (task.state, task.attempt, task.losses) == (wanted, 1, 0)


def test_run_that_ended_with_its_machine_goes_on_uncharged(git_repo: Path) -> None:
    """At a shutdown shims are told to stop as well; nobody wanted the task stopped."""
    with machine(git_repo) as here:
        host = here.start()
        spec = here.dispatch(DRAFT)
        clone = drafted(here, spec)
        host.kill()
        host.wait()
        os.kill(here.shim_pid(), signal.SIGTERM)
        wait_until(here.home().exit.exists, what="the exit record")

        assert_resumes(here, spec)
        assert run(clone, "show", f"refs/cw/wip/{spec.id.lower()}:draft.txt") == "rehearsal"


class Slow(SimpleHTTPRequestHandler):
    """A repository that does not answer before it may."""

    asked = threading.Event()
    may_answer = threading.Event()

    def do_GET(self) -> None:
        self.asked.set()
        self.may_answer.wait()
        super().do_GET()

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def slow_repository(source: Path, folder: Path) -> Iterator[str]:
    bare = folder / "slow.git"
    for args in (["clone", "-q", "--bare", str(source), str(bare)],):
        subprocess.run(["git", *args], check=True)
    subprocess.run(["git", "-C", str(bare), "update-server-info"], check=True)
    Slow.asked.clear()
    Slow.may_answer.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Slow, directory=str(folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/slow.git"
    finally:
        Slow.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("on_stop", ["detach", "interrupt"])
def test_clone_under_way_does_not_hold_up_the_end(
    git_repo: Path, tmp_path: Path, on_stop: str
) -> None:
    with slow_repository(git_repo, tmp_path) as url, machine(git_repo, CW_ON_STOP=on_stop) as here:
        host = here.start()
        spec = here.dispatch(f"{PACE}rehearse: no-change", repo=url, repo_url=url, repo_path="")
        wait_until(Slow.asked.is_set, what="the clone")

        host.terminate()

        assert host.wait(10) == 0
        task = here.task(spec)
        assert (task.state, task.losses, task.deferrals) == (State.QUEUED, 0, 0)
        assert not here.home().journal.exists()
        assert not git_processes(url)
        Slow.may_answer.set()
        here.start()
        task = here.reaches(spec, State.DONE)
        assert task.outcome
        assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome.message
        assert (task.attempt, len(here.agents())) == (2, 1)


def git_processes(url: str) -> list[str]:
    commands = (line.replace(b"\0", b" ").decode() for line in running_commands().values())
    return [command for command in commands if url in command]
