"""A worker's HOME on a machine full of canaries, and agents that are sent after them."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from cw.settings import Settings
from tests.hostile.listening import Listener, listening
from tests.standins.messages import MessagesStandIn, Turn
from tests.waiting import wait_until
from tests.walls import USER, owned
from workerhost.agents import launch
from workerhost.credentials.agentenv import agent_environment
from workerhost.homes.home import make_home, templates_dir
from workerhost.homes.layout import Home
from workerhost.homes.owner import give_tree
from workerhost.probing.inherited import Inherited, inherited
from workerhost.walls.isolation import Wall

ATTACK = Path(__file__).with_name("attack.sh")
KEY = "sk-ant-canary-of-the-model"
NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts")
# The kernel's switches, which only root may change.
KERNEL = tuple(
    ("switch", f"kernel-{Path(place).name}", place)
    for place in (
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/modprobe",
        "/proc/sys/kernel/sysrq",
        "/proc/sys/vm/swappiness",
        "/proc/sys/fs/protected_hardlinks",
    )
    if Path(place).exists()
)
ROOTS_ALONE = {name for _, name, _ in KERNEL}


@dataclass
class Cell:
    """`targets` are as attack.sh wants them: kind, name, place."""

    root: Path
    home: Home
    settings: Settings
    api: MessagesStandIn
    listeners: dict[str, Listener]
    targets: list[tuple[str, str, str]]
    key: str = KEY  # empty: no login in the environment
    sessions: list[str] = field(default_factory=list)
    stays: str = field(default_factory=lambda: f"9{secrets.randbelow(10**8):08}")

    @property
    def clone(self) -> Path:
        return self.home.clones / "acme" / "app"

    def env(self) -> dict[str, str]:
        proxy = f"http://127.0.0.1:{self.listeners['proxy'].port}"
        given = {
            "PATH": os.environ["PATH"],
            "ANTHROPIC_BASE_URL": self.api.url,
            "ANTHROPIC_API_KEY": self.key,
            "http_proxy": proxy,
            "https_proxy": proxy,
            "no_proxy": "127.0.0.1",
            "STAYS": self.stays,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "CLAUDE_CODE_MAX_RETRIES": "0",
        }
        return agent_environment(self.home, self.settings, given)

    def report(self, way: str) -> Path:
        return self.home.tmp / f"report-{way}"

    def attack(self, way: str) -> str:
        """The command line of one attack."""
        return f"sh {self.clone}/attack.sh {self.report(way)} {self.clone}/targets"

    def got(self, way: str) -> set[str]:
        """What an attack reached. It must have been tried to its end."""
        lines = self.report(way).read_text("utf-8").splitlines()
        assert lines[-1] == "tried", lines
        return {one.removeprefix("got ") for one in lines if one != "tried"}

    def run_claude(
        self, claude: Path, wall: Wall, *turns: Turn, trusted: bool = False, resume: str = ""
    ) -> launch.Exit:
        """The real claude, started as the host starts it. `resume`: an earlier session."""
        session = resume or "11111111-2222-4333-8444-" + secrets.token_hex(6)
        self.sessions.append(session)
        self.api.script(*turns, match=session)
        self.home.prompt.write_text("Do your worst.", "utf-8")
        self.home.system_prompt.write_text("You are a test.", "utf-8")
        order = launch.Launch(
            claude,
            "sonnet",
            session,
            resume=bool(resume),
            cwd=self.clone,
            env=self.env(),
            trusted=trusted,
        )
        launch.start(self.home, order, wall, self.settings)
        wait_until(self.home.exit.exists, 60, lambda: self.home.log.read_text("utf-8")[-3000:])
        wait_until(lambda: not launch.alive(self.home), what="the shim's end")
        ended = launch.read_exit(self.home)
        assert ended
        return ended

    def left(self) -> list[psutil.Process]:
        """What the attacks started and still runs."""
        return [one for one in psutil.process_iter(["cmdline"]) if self._ours(one)]

    def _ours(self, process: psutil.Process) -> bool:
        return self.stays in (process.info["cmdline"] or [])


@contextmanager
def cell(**changed: object) -> Iterator[Cell]:
    root = Path(tempfile.mkdtemp(prefix="cwh-"))  # sockets have short names
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        api = stack.enter_context(MessagesStandIn())
        settings = Settings(
            workers_root=root / "workers",
            state_dir=root / "state",
            agent_env=("http_proxy", "https_proxy", "no_proxy", "STAYS", *_CLAUDE_QUIET),
            **changed,  # type: ignore[arg-type]
        )
        for worker in ("02", "01"):
            tokens = {"GH_TOKEN": f"canary-of-{worker}"}
            home = owned(make_home(settings.workers_root, worker, tokens, templates_dir()))
        listeners = {
            "proxy": stack.enter_context(listening()),
            "broker-port": stack.enter_context(listening()),
            "broker-socket": stack.enter_context(listening(root / "broker.s")),
            "docker": stack.enter_context(listening(root / "docker.s")),
        }
        process = stack.enter_context(_process_with_a_secret())
        kernels = stack.enter_context(inherited(USER))
        made = Cell(
            root, home, settings, api, listeners, _targets(root, home, listeners, process, kernels)
        )
        _furnish(made)
        try:
            yield made
        finally:
            for one in made.left():
                one.kill()


_CLAUDE_QUIET = (
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "DISABLE_TELEMETRY",
    "DISABLE_ERROR_REPORTING",
    "CLAUDE_CODE_MAX_RETRIES",
)


def _targets(
    root: Path, home: Home, listeners: dict[str, Listener], process: int, kernels: Inherited
) -> list[tuple[str, str, str]]:
    operator, other = root / "operator", home.path.parent / "02"
    return [
        ("read", "operators-notes", f"{operator}/notes"),
        ("read", "operators-ssh-key", f"{operator}/.ssh/id_ed25519"),
        ("write", "operators-bashrc", f"{operator}/.bashrc"),
        ("read", "other-homes-logins", f"{other}/.zshenv"),
        ("into", "other-homes-clones", f"{other}/github"),
        ("read", "brokers-password", f"{root}/state/broker-password"),
        ("read", "process-of-the-host", f"/proc/{process}/environ"),
        ("socket", "brokers-socket", f"{root}/broker.s"),
        ("port", "brokers-port", f"127.0.0.1:{listeners['broker-port'].port}"),
        ("host", "brokers-port-by-proxy", f"127.0.0.1:{listeners['broker-port'].port}"),
        ("socket", "docker-socket", f"{root}/docker.s"),
        ("host", "metadata-address", "169.254.169.254"),
        ("host", "closed-host", "closed.example.org"),
        ("write", "own-policy", str(home.policy)),
        ("replace", "own-policy-folder", str(home.run)),
        ("write", "own-settings", f"{home.claude}/settings.json"),
        ("write", "own-rules", f"{home.claude}/CLAUDE.md"),
        ("read", "own-logins-file", str(home.zshenv)),
        ("write", "own-logins-file-write", str(home.zshenv)),
        ("write", "own-state-of-claude", f"{home.path}/.claude.json"),
        ("write", "own-journal", str(home.journal)),
        ("into", "own-archives", str(home.completed)),
        ("write", "own-shell-start", f"{home.path}/.bashrc"),
        ("write", "own-git-configuration", f"{home.path}/.gitconfig"),
        ("write", "system", "/usr/bin/cw-canary"),
        *KERNEL,
        *(("same", f"namespace-{one}", namespace(one)) for one in NAMESPACES),
        ("listed", "key-of-the-host", f"/proc/keys:{kernels.word}"),
        ("listed", "system-v-memory", f"/proc/sysvipc/shm:{kernels.shm}"),
        ("there", "shared-memory", f"/dev/shm/{kernels.word}"),
        ("signal", "process-of-the-host-signal", str(kernels.victim.pid)),
    ]


def _furnish(made: Cell) -> None:
    operator = made.root / "operator"
    (operator / ".ssh").mkdir(parents=True)
    for path in (operator / "notes", operator / ".ssh" / "id_ed25519"):
        path.write_text("canary", "utf-8")
    made.settings.state_dir.mkdir()
    (made.settings.state_dir / "broker-password").write_text("canary", "utf-8")
    made.home.journal.write_text("{}", "utf-8")
    made.clone.mkdir(parents=True)
    shutil.copy(ATTACK, made.clone / "attack.sh")
    lines = "".join(f"{' '.join(one)}\n" for one in made.targets)
    (made.clone / "targets").write_text(lines, "utf-8")
    give_tree(made.home.clones / "acme")


def namespace(kind: str) -> str:
    return str(Path(f"/proc/self/ns/{kind}").readlink())


@contextmanager
def _process_with_a_secret() -> Iterator[int]:
    """Stands for the host: another process of the same user."""
    with subprocess.Popen(["sleep", "600"], env={"SECRET": "canary"}) as process:
        try:
            yield process.pid
        finally:
            process.kill()
