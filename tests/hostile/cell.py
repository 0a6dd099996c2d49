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

from cw.credentials.agentenv import agent_environment
from cw.homes.home import make_home, templates_dir
from cw.homes.layout import Home
from cw.homes.owner import give_tree, make_folders
from cw.homes.running import shim_lives
from cw.settings import Settings
from tests.hostile.listening import Listener, listening
from tests.standins.messages import MessagesStandIn, Turn
from tests.waiting import wait_until
from tests.walls import USER, owned
from workerhost.agents import launch
from workerhost.claude.runner import CLAUDE
from workerhost.probing.inherited import Inherited, inherited
from workerhost.programs.runner import Launch
from workerhost.walls.isolation import Wall
from workerhost.walls.room import Room

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
        order = Launch(
            binary=claude,
            model="sonnet",
            session=session,
            resume=bool(resume),
            cwd=self.clone,
            env=self.env(),
            trusted=trusted,
        )
        launch.start(Room(self.home, wall, self.settings), order, CLAUDE)
        wait_until(self.home.exit.exists, 60, lambda: self.home.log.read_text("utf-8")[-3000:])
        wait_until(lambda: not shim_lives(self.home), what="the shim's end")
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
        *(("read", name, str(path)) for name, path in secrets_of(root, home).items()),
        *(("into", name, str(path)) for name, path in folders_of(root, home).items()),
        *(("write", name, str(path)) for name, path in files_of(root, home).items()),
        *(("host", name, place) for name, place in places_of(listeners["broker-port"]).items()),
        *KERNEL,
        *(("same", f"namespace-{one}", namespace(one)) for one in NAMESPACES),
        ("listed", "key-of-the-host", f"/proc/keys:{kernels.word}"),
        ("listed", "system-v-memory", f"/proc/sysvipc/shm:{kernels.shm}"),
        ("there", "shared-memory", f"/dev/shm/{kernels.word}"),
        ("signal", "process-of-the-host-signal", str(kernels.victim.pid)),
    ]


def secrets_of(root: Path, home: Home) -> dict[str, Path]:
    """Files with a canary in them, by what they stand for."""
    operator, state, other = root / "operator", root / "state", home.path.parent / "02"
    return {
        "operators-netrc": operator / ".netrc",
        "operators-cloud-login": operator / ".aws" / "credentials",
        "operators-registry-login": operator / ".docker" / "config.json",
        "operators-settings": operator / ".config" / "cw" / "config.toml",
        "signing-key": state / "signing.key",
        "audit-file": state / "audit" / "here.jsonl",
        "log-of-the-host": state / "logs" / "host.log",
        "mirror-of-a-repository": state / "git" / "mirrors" / "0123" / "packed-refs",
        "other-homes-conversation": other / ".claude" / "projects" / "x" / "s.jsonl",
        "other-homes-log": other / "run" / "worker.log",
        "other-homes-prompt": other / "run" / "prompt.txt",
        "other-homes-archive": other / "completed" / "issue-1.log",
        "other-homes-ssh-key": other / ".ssh" / "id_ed25519",
        "other-homes-clone": other / "github" / "acme" / "private" / "secret.txt",
    }


def folders_of(root: Path, home: Home) -> dict[str, Path]:
    """Folders that nothing may be put into."""
    return {
        "operators-folder": root / "operator",
        "state-folder": root / "state",
        "hosts-own-git": root / "state" / "git" / "mirrors" / "0123",
        "other-homes-commands": home.path.parent / "02" / ".claude" / "commands",
        "own-commands": home.claude / "commands",
        "own-skills": home.claude / "skills",
        "own-hooks": home.claude / "hooks",
        "own-ssh-folder": home.path / ".ssh",
    }


def files_of(root: Path, home: Home) -> dict[str, Path]:
    """Files that nothing may be added to."""
    return {
        "signing-key-write": root / "state" / "signing.key",
        "proofs-of-the-walls": root / "state" / "proven.json",
        "other-homes-rules": home.path.parent / "02" / ".claude" / "CLAUDE.md",
        "own-marker": home.marker,
    }


def places_of(closed: Listener) -> dict[str, str]:
    """The machine itself and its network, as an address can be written."""
    return {
        "loopback-by-name": f"localhost:{closed.port}",
        "loopback-in-ipv6": f"[::1]:{closed.port}",
        "loopback-as-a-number": f"2130706433:{closed.port}",
        "loopback-mapped": f"[::ffff:127.0.0.1]:{closed.port}",
        "private-network": "10.0.0.1",
        "metadata-by-name": "metadata.google.internal",
    }


def _furnish(made: Cell) -> None:
    operator = made.root / "operator"
    (operator / ".ssh").mkdir(parents=True)
    for path in (operator / "notes", operator / ".ssh" / "id_ed25519"):
        path.write_text("canary", "utf-8")
    for path in secrets_of(made.root, made.home).values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a canary", "utf-8")
    for path in folders_of(made.root, made.home).values():
        make_folders(path)
    (made.settings.state_dir / "broker-password").write_text("canary", "utf-8")
    (made.settings.state_dir / "proven.json").write_text("{}", "utf-8")
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
