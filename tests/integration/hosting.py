"""Real host processes on a broker of their own, with the rehearsal agent as claude."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cw.broker.app import make_app, send_hint
from cw.homes.home import make_home, templates_dir
from cw.homes.layout import Home
from cw.keyring import load_keyring
from cw.models import Event, Task, TaskSpec
from cw.operations.reconciliation.sweep import Swept, sweep
from cw.settings import Settings, load_settings
from cw.states import State
from cw.store.store import Store, open_store
from tests.forking import Forked, can_fork, forked
from tests.making import give_key, make_spec
from tests.mutants import host_module, kept_variable
from tests.servers import broker_program
from tests.waiting import wait_until
from tests.walls import AROUND_REHEARSAL, AS_ROOT
from workerhost.__main__ import main
from workerhost.heartbeat import STARTING

ROOT = Path(__file__).parents[2]
AGENT = ROOT / "tests" / "standins" / "rehearsal_agent.py"
READY = 40.0  # seconds; a host starts in about two


@dataclass
class Machine:
    """A folder with workers, their broker, and hosts that come and go."""

    folder: Path
    repo: Path
    broker: subprocess.Popen[bytes]
    more: dict[str, str] = field(default_factory=dict)
    hosts: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"unix://{self.folder / 's'}"

    def env(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "CW_BROKER_URL": self.url,
            "CW_WORKERS_ROOT": str(self.folder / "workers"),
            "CW_STATE_DIR": str(self.folder / "state"),
            "CW_SIGNING_KEY_FILE": str(self.folder / "signing.key"),
            "CW_HOST_NAME": "here",
            "CW_CLAUDE": str(AGENT),
            "CW_SANDBOX_READ": ":".join({str(AGENT.parent), sys.prefix, sys.base_prefix}),
            "CW_ISOLATION": AROUND_REHEARSAL,
            "CW_STOP_GRACE": "0.5",
            "CW_SAME_FAILURES": "0",  # tests let many fail alike
            "CW_REHEARSAL_LOG": str(self.home().tmp / "rehearsal.log"),
            "CW_AGENT_ENV": "CW_REHEARSAL_LOG",
            **AS_ROOT,
            **kept_variable(),
            **self.more,
        }

    def settings(self) -> Settings:
        return load_settings(self.env())[0]

    def store(self) -> Store:
        return open_store(self.url, load_keyring(self.settings()))

    def home(self, worker: str = "01") -> Home:
        return Home(self.folder / "workers" / worker)

    def add_worker(self, worker: str = "01", **tokens: str) -> None:
        make_home(self.folder / "workers", worker, tokens, templates_dir())

    def start(self, inside: Sequence[str] = (), module: str = "") -> subprocess.Popen[bytes]:
        """`inside`: a command that runs another one somewhere else. `module`: what is a host."""
        host = self.start_unwell(inside, module)
        wait_until(lambda: self.beats(host), READY, self.log)
        return host

    def start_unwell(self, inside: Sequence[str] = (), module: str = "") -> subprocess.Popen[bytes]:
        """The same for a host that cannot be expected to get far."""
        command = [*inside, sys.executable, "-m", module or host_module()]
        env, log = self.env(), self.folder / "host.log"
        host: subprocess.Popen[bytes]
        if not inside and not module and can_fork(env):
            files = (Path(os.devnull), log, log)
            host = Forked(forked(main, (command[0],), env, self.folder, files), command)
        else:
            with log.open("ab") as output:
                host = subprocess.Popen(
                    command,
                    env=env,
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
        self.hosts.append(host)
        return host

    def beats(self, host: subprocess.Popen[bytes]) -> bool:
        assert host.poll() is None, self.log()
        return any(
            one.pid == host.pid and one.unfit != STARTING for one in self.store().fleet.hosts()
        )

    def dispatch(self, prompt: str, **changed: Any) -> TaskSpec:
        spec = self.record(prompt, **changed)
        self.hint(spec, spec.wanted_worker)
        return spec

    def record(self, prompt: str, **changed: Any) -> TaskSpec:
        """A dispatch before its hint."""
        repo = str(self.repo)
        place = {"repo": repo, "repo_url": repo, "repo_path": repo, "wanted_worker": "01"}
        place["prompt_sha256"] = hashlib.sha256(prompt.encode()).hexdigest()
        spec = make_spec(
            repo_folder="git/app-12345678", github=False, issue=None, **(place | changed)
        )
        self.store().tasks.create(spec, prompt)
        return spec

    def hint(self, spec: TaskSpec, worker: str | None = "01") -> None:
        store = self.store()
        with make_app(self.settings()) as app:
            send_hint(app, spec, worker)
        store.tasks.mark_hinted(spec.id, store.tasks.now())

    def sweep(self) -> Swept:
        return sweep(self.store(), self.hint, self.settings())

    def task(self, spec: TaskSpec) -> Task:
        task = self.store().tasks.get(spec.id)
        assert task
        return task

    def reaches(self, spec: TaskSpec, state: State, seconds: float = 60) -> Task:
        wait_until(lambda: self.task(spec).state is state, seconds, self.log)
        return self.task(spec)

    def events(self, spec: TaskSpec) -> list[Event]:
        return self.store().events.read(spec.id)[0]

    def agents(self, event: str = "start") -> list[dict[str, Any]]:
        """What the agents themselves noted, independent of any host."""
        path = self.home().tmp / "rehearsal.log"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [one for line in lines if (one := json.loads(line))["event"] == event]

    def clear_agents(self) -> None:
        (self.home().tmp / "rehearsal.log").unlink()

    def shim_pid(self) -> int:
        return int(json.loads(self.home().shim.read_bytes())["pid"])

    def archive(self) -> tuple[dict[str, Any], bytes]:
        wait_until(lambda: not self.home().journal.exists(), what="the archive")
        (path,) = self.home().completed.glob("*.json")
        return json.loads(path.read_bytes()), path.with_suffix(".log").read_bytes()

    def log(self) -> str:
        path = self.folder / "host.log"
        return path.read_text("utf-8", "replace")[-3000:] if path.exists() else ""


@contextmanager
def machine(
    repo: Path, broker_preload: str = "", below: str | None = None, **more: str
) -> Iterator[Machine]:
    """`more`: for the hosts' environment. `broker_preload`: a library for their broker. `below`:
    where its folder is made.
    """
    # A socket's path may have about 100 characters; pytest's folders are too deep.
    folder = Path(tempfile.mkdtemp(prefix="cwm-", dir=below))
    options = ["--port", "0", "--unixsocket", str(folder / "s"), "--save", "", "--dir", str(folder)]
    broker = subprocess.Popen(
        [broker_program(), *options],
        stdout=subprocess.DEVNULL,
        env=os.environ | ({"LD_PRELOAD": broker_preload} if broker_preload else {}),
    )
    give_key(folder)
    made = Machine(folder, repo, broker, dict(more))
    try:
        wait_until(lambda: _listens(folder / "s"), what="the broker")
        made.add_worker()
        yield made
    finally:
        with suppress(ProcessLookupError):
            broker.send_signal(signal.SIGCONT)
        for host in made.hosts:
            host.kill()
            host.wait()
        stop_runs(folder)
        broker.kill()
        broker.wait()
        shutil.rmtree(folder, ignore_errors=True)


def stop_runs(folder: Path) -> None:
    """Shims outlive hosts; those of this folder end here."""
    for path in folder.glob("workers/*/run/shim.json"):
        pid = int(json.loads(path.read_bytes())["pid"])
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda pid=pid: not _runs(pid), what="the end of a shim")  # type: ignore[misc]


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
        client.connect(str(path))
        return True
    return False


def _runs(pid: int) -> bool:
    try:
        return b"shim.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
