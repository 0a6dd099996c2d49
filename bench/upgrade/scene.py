"""`python -m bench.upgrade.scene OUT`, in the tree of the version that is recorded: work in each
state in which a host can leave it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.upgrade.freezing import WORKERS, freeze, freeze_work
from bench.upgrade.templates import Place
from cw.models import TaskSpec
from cw.states import State
from cw.store.outbox import Effect
from tests.integration.hosting import Machine, machine
from tests.waiting import wait_until

CONFIG = "# As it was before there were sections.\nrun_time_limit = 5400\nmax_deferrals = 7\n"
WORKS = "rehearse: do git commit -q --allow-empty -m Change\nrehearse: still\n"
FAST = "rehearse: pace 0.01\n"
_LIMIT_SECONDS = 9
_MOMENT = "2026-01-02T03:04:05+00:00"
_WHO = ("-c", "user.name=Somebody", "-c", "user.email=somebody@acme.invalid")


def main() -> int:
    out = Path(sys.argv[1])
    # Without the note of what agents did: it would lie in another worker's HOME.
    with machine(out, CW_AGENT_ENV="") as here:
        here.repo = _repository(here.folder / "app")
        _play(here)
        place = Place(here.folder)
        freeze(here, place, out)
        for words in (["status"], ["history"], ["show", "01"]):
            said = _cw(here, *words, "--json")
            (out / f"{words[0]}.json").write_text(place.frozen(said))
        _end(here, place, out)
        freeze_work(here, place, out)
    return 0


def _play(here: Machine) -> None:
    config = here.folder / ".config" / "cw" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG)
    for worker in WORKERS[1:]:
        here.add_worker(worker)
    host = here.start()
    here.reaches(_dispatch(here, "Done", WORKS), State.DONE)
    _cw(here, "pause", "01")
    stopped = _dispatch(here, "Stopped", f"rehearse: hang once\n{WORKS}", "03")
    _wait_for(here, stopped, "sleep infinity")
    _cw(here, "stop", "03")
    here.reaches(stopped, State.STOPPED)
    running = _dispatch(here, "Running", f"rehearse: until ../../../tmp/go\n{WORKS}", "04")
    _wait_for(here, running, "tmp/go")
    limit = f"rehearse: usage-limit {int(time.time()) + _LIMIT_SECONDS}\n"
    held = _dispatch(here, "Held", limit + WORKS, "02")
    here.reaches(held, State.HELD)
    host.terminate()
    assert host.wait(30) == 0, here.log()
    _dispatch(here, "Queued", WORKS, None)
    assert here.task(running).state is State.RUNNING
    comment = Effect(kind="comment", repo="acme/app", issue=22, worker="01", text="Done", mark="m")
    here.store().outbox.add("there", [comment])  # of a host that is away


def _dispatch(here: Machine, title: str, does: str, worker: str | None = "01") -> TaskSpec:
    now = datetime.now(UTC)
    return here.dispatch(FAST + does, title=title, wanted_worker=worker, created_at=now)


def _end(here: Machine, place: Place, out: Path) -> None:
    """What agent and shim write after that, without a host."""
    home = here.home("04")
    before = home.log.read_bytes()
    (home.tmp / "go").touch()
    wait_until(home.exit.exists, 60, "the end of the agent")
    log = home.log.read_bytes()
    assert log.startswith(before)
    (out / "rest.log").write_text(place.frozen(log[len(before) :].decode()))
    (out / "exit.json").write_text(place.frozen(home.exit.read_text()))


def _wait_for(here: Machine, spec: TaskSpec, words: str) -> None:
    wait_until(lambda: any(words in one.text for one in here.events(spec)), 60, here.log)


def _cw(here: Machine, *words: str) -> str:
    command = [sys.executable, "-m", "cw", *words]
    done = subprocess.run(
        command, env=here.env(), cwd=here.folder, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def _repository(path: Path) -> Path:
    env = {"PATH": os.environ["PATH"], "GIT_AUTHOR_DATE": _MOMENT, "GIT_COMMITTER_DATE": _MOMENT}
    for args in (
        ["init", "-q", "-b", "main", str(path)],
        ["-C", str(path), *_WHO, "commit", "-q", "--allow-empty", "-m", "First"],
    ):
        subprocess.run(["git", *args], check=True, env=env)
    return path


if __name__ == "__main__":
    sys.exit(main())
