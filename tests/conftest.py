"""What every tier may use: a private Redis, and `cw` as an installed command."""

import gc
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, settings

from cw.store.store import Store, open_store
from tests.costs import Costs
from tests.making import KEYRING
from tests.mutants import take_out
from tests.needs import need
from tests.nottried import not_tried
from tests.progress import Progress, told
from tests.servers import broker_program
from tests.typed import typed
from tests.waiting import wait_until
from tests.walls import AS_ROOT

Cw = Callable[..., "subprocess.CompletedProcess[str]"]


# Whoever starts us in the background has interrupts ignored, and what we start would inherit that:
# no test of Ctrl-C could pass. A handler of our own is not inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)


# How long an example takes says how busy the machine is, and nothing of what it tries.
settings.register_profile("cw", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cw")


def pytest_configure(config: pytest.Config) -> None:
    take_out()
    config.pluginmanager.register(Costs())
    if "CI" in os.environ:  # elsewhere somebody looks on, and may ask for less or more
        config.pluginmanager.register(Progress(told))


def pytest_unconfigure(config: pytest.Config) -> None:
    """After pytest's own last line. Of several processes, by the one that has a terminal."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    skipped = terminal.stats.get("skipped", ()) if terminal else ()
    reasons = [str(one.longrepr[2]) for one in skipped if isinstance(one.longrepr, tuple)]
    line = not_tried(reasons)
    if terminal and line:
        terminal.write_line(line)


# Of several processes each takes the next file: the long ones first, so that all end together.
LONG_FIRST = ("acceptance", "hostile", "contract", "integration", "rehearsals", "unit")
LONG_FILES = (
    "bounded_host",
    "bounded_clones",
    "clock",
    "split_brain",
    "signals_host",
    "services_up",
    "limits",
    "adoption",
    "assign_scale",
    "used_clones",
    "network_steps",
    "clone_traps",
    "clone_properties",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Otherwise the order stays as it was shuffled."""
    tier = {Path(__file__).parent / name: at for at, name in enumerate(LONG_FIRST)}
    long = {f"test_{name}.py" for name in LONG_FILES}
    items.sort(key=lambda item: (tier.get(item.path.parent, len(tier)), item.path.name not in long))


def pytest_collection() -> None:
    """Some thousand tests are no garbage: looking through them takes a fifth of collecting them."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """URL of a server of our own, on a socket nobody else knows."""
    # A socket's path may have about 100 characters; pytest's folders are too deep.
    folder = Path(tempfile.mkdtemp(prefix="cw-"))
    path = folder / "s"
    options = ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
    options += ["--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"]
    server = subprocess.Popen(
        [broker_program(), *options, "--dir", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        url = f"unix://{path}"
        wait_until(lambda: _answers(url), what="redis-server")
        yield url
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """The same server, empty."""
    yield redis_server
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()


@pytest.fixture
def store(redis_url: str) -> Iterator[Store]:
    opened = open_store(redis_url, KEYRING)
    yield opened
    opened.connection.close()


@pytest.fixture
def cw_environ(tmp_path: Path) -> dict[str, str]:
    """All that a `cw` of this test sees: nothing of the person who runs the tests."""
    (tmp_path / "user").mkdir()
    folders = {"CW_WORKERS_ROOT": "workers", "CW_STATE_DIR": "state", "CW_CONFIG": "config.toml"}
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(tmp_path / "user"),
        "LANG": "C.UTF-8",
        "CW_HOST_NAME": "here",
        **AS_ROOT,
        **{name: str(tmp_path / folder) for name, folder in folders.items()},
    }


@pytest.fixture
def cw(cw_environ: dict[str, str], tmp_path: Path) -> Cw:
    """Types a command: `cw("status", "--json", stdin="", CW_MODEL="opus")`."""

    def run(*args: str, stdin: str | bytes = "", **more: str) -> "subprocess.CompletedProcess[str]":
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        done = typed(*args, env=cw_environ | more, cwd=tmp_path, stdin=raw)
        out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    return run


@pytest.fixture
def git_repo(tmp_path: Path) -> Path:
    """A repository with one commit, for work that needs no GitHub."""
    return make_repo(tmp_path / "app")


def make_repo(path: Path) -> Path:
    git = need("git")
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    for args in (
        ["init", "-q", "-b", "main", str(path)],
        ["-C", str(path), *identity, "commit", "-q", "--allow-empty", "-m", "First"],
    ):
        subprocess.run([git, *args], check=True, env={"PATH": os.environ["PATH"]})
    return path


def _answers(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False
