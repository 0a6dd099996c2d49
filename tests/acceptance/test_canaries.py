"""Eight kinds of secrets through fifty runs, with crashes: found nowhere they should not be."""

from __future__ import annotations

import base64
import os
import re
import secrets
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_letters, digits
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import redis

from cw.broker.app import send_hint
from cw.cli.context import Cli, load_cli
from cw.homes.files import read_json
from cw.homes.home import make_home, templates_dir
from cw.models import TaskSpec
from cw.operations.dispatch.dispatching import dispatch
from cw.operations.dispatch.request import Request
from cw.repos import github_repo
from cw.states import State
from cw.store.store import Store
from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import REHEARSAL, Fleet
from tests.needs import require
from tests.procs import running_commands
from tests.standins.github import GitHubStandIn
from tests.standins.github.app_key import app_key
from tests.waiting import wait_until
from tests.walls import WALLS

pytestmark = pytest.mark.timeout(300)  # fifty runs take longer than a test should

REPO = "acme/app"
WORKERS = [f"{number:02d}" for number in range(1, 9)]
RUNS = 50
KEY = "private key"  # the one that is a file


def letters(count: int) -> str:
    return "".join(secrets.choice(ascii_letters + digits) for _ in range(count))


CANARIES = {
    "GH_TOKEN": f"ghp_{letters(36)}",
    "FINE_GRAINED_TOKEN": f"github_pat_11{letters(20)}_{letters(40)}",
    "ANTHROPIC_API_KEY": f"sk-ant-api03-{letters(60)}",
    "AWS_SECRET_ACCESS_KEY": letters(40),
    "AWS_ACCESS_KEY": f"AKIA{letters(16).upper()}",
    "SLACK_TOKEN": f"xoxb-{letters(11)}-{letters(24)}",
    "SESSION_JWT": f"eyJ{letters(20)}.eyJ{letters(40)}.{letters(43)}",
    "DATABASE_PASSWORD": letters(20),
    KEY: app_key()[0],
}
# What a person's shell has and no agent may see.
OPERATORS = [
    *(f"AWS_{one}" for one in ("ACCESS_KEY_ID", "SESSION_TOKEN", "PROFILE", "SECURITY_TOKEN")),
    *(
        "GOOGLE_APPLICATION_CREDENTIALS",
        "AZURE_CLIENT_SECRET",
        "DIGITALOCEAN_TOKEN",
        "GITLAB_TOKEN",
    ),
    *("BITBUCKET_TOKEN", "OPENAI_API_KEY", "CIRCLE_TOKEN", "REDIS_URL", "DATABASE_URL"),
    *("PGPASSWORD", "MYSQL_PWD", "SSH_AUTH_SOCK", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS"),
    *("XDG_RUNTIME_DIR", "DISPLAY", "KUBECONFIG", "DOCKER_HOST", "NPM_TOKEN", "PYPI_TOKEN"),
    *("SLACK_WEBHOOK", "STRIPE_KEY", "SENTRY_DSN", "VAULT_TOKEN", "VAULT_ADDR", "CONSUL_TOKEN"),
    *("HEROKU_API_KEY", "FLY_API_TOKEN", "TWINE_PASSWORD", "CARGO_REGISTRY_TOKEN", "TF_VAR_secret"),
    *("ANSIBLE_VAULT_PASSWORD", "SMTP_PASSWORD", "LDAP_BIND_PW", "ROLLBAR_TOKEN", "TELEGRAM_TOKEN"),
]
OPERATOR = f"ghp_{letters(36)}"
SHOW = "do cat ~/.ssh/id; env"
WAYS = [  # how a run shows its secrets, and how it ends
    (SHOW, "say env; cat ~/.ssh/id", "commit-only"),
    ("do env | xxd -p", "say env | base64", "no-change"),
    ("do env | od -An -tx1", "say env | sed 's/./& /g'", "commit-only"),
    (SHOW, "do cat ~/.ssh/id >&2; env >&2", "crash"),
    ("do env | grep TOKEN > config; git add config", "do git commit -qm Configure", "commit-only"),
    ("say env | fold -w 7 | cat -n", SHOW, "no-change"),
    (SHOW, "say env", "is-error"),
    ("do env >> ~/tmp/envs; cat /proc/[0-9]*/environ >> ~/tmp/envs", SHOW, "api-error 400"),
]


BREAKS = re.compile(rb"\\+[nrt]|\s+")  # what od, xxd and base64 put between


def needles() -> dict[str, re.Pattern[bytes]]:
    """Each canary in the dresses that can be looked for anywhere."""
    found = {}
    for name, value in CANARIES.items():
        plain = [value] if name != KEY else value.splitlines()[3:6]
        ways = {way for one in plain for way in dresses(one)}
        found[name] = re.compile(b"|".join(re.escape(way.encode()) for way in sorted(ways)))
    return found


def dresses(value: str) -> Iterator[str]:
    yield from (value, quote(value, safe=""), value.encode().hex(), " ".join(value))
    for shift in range(3):
        yield base64.b64encode(bytes(shift) + value.encode()).decode()[4:-4]


@dataclass
class CommandLines:
    """Of every process of this machine, again and again."""

    seen: set[bytes] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watched(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self.seen.update(running_commands().values())


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    require(WALLS, "a bwrap that works")
    operator = dict.fromkeys(OPERATORS, "canary-of-the-operator")
    settings = operator | {"GH_TOKEN": OPERATOR, "CW_DEFER_SECONDS": "1", "CW_MAX_DEFERRALS": "0"}
    # A host that is killed as it takes a task leaves nothing but the lease, which has to end.
    settings |= {"CW_LEASE_TTL": "30", "CW_LEASE_RENEW": "5", "CW_LEASE_MARGIN": "10"}
    with running_fleet(REHEARSAL, settings) as one:
        one.github.add_user("boss", OPERATOR, {REPO: "write"})
        one.github.add_user("bot", CANARIES["GH_TOKEN"], {REPO: "write"})
        for worker in WORKERS:
            if not one.worker(worker).exists():
                make_home(one.workers, worker, {}, templates_dir())
            give_secrets(one.worker(worker), one)
        yield one


def give_secrets(home: Path, fleet: Fleet) -> None:
    lines = {**CANARIES, "ANTHROPIC_BASE_URL": fleet.api.url}
    del lines[KEY]
    text = "".join(f"export {name}='{value}'\n" for name, value in lines.items())
    (home / ".zshenv").write_text(text, "utf-8")
    (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
    (home / ".ssh" / "id").write_text(CANARIES[KEY], "ascii")
    (home / ".ssh" / "id").chmod(0o600)
    (home / ".gitconfig").write_text("[user]\n\tname = Bot\n\temail = bot@acme.invalid\n")


def dispatched(cli: Cli, hub: GitHubStandIn) -> list[TaskSpec]:
    found = []
    for number in range(RUNS):
        issue = hub.add_issue(REPO, f"Bug {number}", "It fails.")
        orders = "\n".join(f"rehearse: {one}" for one in ("pace 0", *WAYS[number % len(WAYS)]))
        request = Request(
            repo=github_repo(REPO, cli.settings.github_url),
            issue=issue,
            worker=None,
            prompt=orders,
            model="sonnet",
        )
        done = dispatch(request, cli.store, cli.github, lambda spec: send_hint(cli.app, spec, None))
        found.append(done.task)
    return found


def everything_in(url: str) -> Iterator[tuple[str, bytes]]:
    """What a Redis holds, key by key."""
    with redis.Redis.from_url(url) as client:
        readers: dict[bytes, Callable[[bytes], Any]] = {
            b"string": client.get,
            b"hash": client.hgetall,
            b"list": lambda key: client.lrange(key, 0, -1),
            b"set": client.smembers,
            b"zset": lambda key: client.zrange(key, 0, -1),
            b"stream": client.xrange,
            b"none": lambda _: None,  # it ended meanwhile
        }
        for key in client.scan_iter():
            yield key.decode(), key + repr(readers[client.type(key)](key)).encode()


def files_in(*folders: Path) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield str(path), path.read_bytes()


def on_github(fleet: Fleet) -> Iterator[tuple[str, bytes]]:
    """What it was told, and every version of every file it was given."""
    for one in [*fleet.github.issues(REPO), *fleet.github.pulls(REPO)]:
        yield f"issue {one.number}", repr(one).encode()
    for request in fleet.github.requests:
        yield "request", f"{request.path} {request.query}".encode()
    bare = fleet.home / "hub" / f"{REPO}.git"
    told = subprocess.run(
        ["git", "log", "--all", "-p", "--text"], cwd=bare, capture_output=True, check=True
    )
    yield "repository", told.stdout


def broker(fleet: Fleet) -> str:
    return (fleet.home / "state" / "broker" / "url").read_text("utf-8").strip()


def shims(fleet: Fleet) -> list[int]:
    found = [read_json(one) for one in fleet.workers.glob("*/run/shim.json")]
    return [int(one["pid"]) for one in found if one]


def over(store: Store, tasks: list[TaskSpec]) -> bool:
    """Nothing runs, and GitHub has been told all of it."""
    states = [found.state for one in tasks if (found := store.tasks.get(one.id))]
    ended = len(states) == RUNS and {*states} <= {State.DONE, State.CRASHED}
    return ended and not any(store.outbox.pending(one.name) for one in store.fleet.hosts())


@pytest.fixture(scope="module")
def command_lines(fleet: Fleet) -> CommandLines:
    """Fifty runs, of which some end with their agent, their shim or their host. Returns what every
    process of this machine was called with meanwhile.
    """
    lines, cli = CommandLines(), load_cli(fleet.env())
    with lines.watched():
        tasks = dispatched(cli, fleet.github)
        with suppress(ProcessLookupError):  # a run is lost
            os.kill(wait_until(lambda: shims(fleet), 60, fleet.logs)[0], signal.SIGKILL)
        (host,) = cli.store.fleet.hosts()
        os.kill(host.pid, signal.SIGKILL)  # the next one adopts the others
        wait_until(lambda: over(cli.store, tasks), 240, fleet.logs)
    return lines


def test_secrets_of_fifty_runs_are_found_nowhere_else(
    fleet: Fleet, command_lines: CommandLines
) -> None:
    url = broker(fleet)
    state = fleet.home / "state"
    homes = [fleet.worker(one) for one in WORKERS]
    searched = [
        *everything_in(url),
        *files_in(
            state, *(home / "completed" for home in homes), *(home / "run" for home in homes)
        ),
        *(
            (str(one), one.read_bytes())
            for home in homes
            for one in home.glob("github/*/*/.git/config")
        ),
        *on_github(fleet),
        *(("command line", one) for one in command_lines.seen),
    ]
    found = [
        (name, place, match[0][:60])
        for name, needle in needles().items()
        for place, raw in searched
        for shown in (raw, BREAKS.sub(b"", raw))
        if (match := needle.search(shown))
    ]
    assert found == []
    assert len([one for place, one in searched if b"[redacted]" in one]) > RUNS
    assert len({one.head for one in fleet.github.pulls(REPO)}) >= RUNS // 5
    assert any(b"--output-format" in one for one in command_lines.seen)
    password = (urlsplit(url).password or "").encode()
    kept = [place for place, raw in searched if password in raw]
    assert password
    assert not [place for place in kept if not place.startswith(str(state / "broker"))]


def test_forty_variables_of_the_operator_are_seen_by_no_agent(
    fleet: Fleet, command_lines: CommandLines
) -> None:
    """Some of the runs kept all that they saw."""
    seen = [path.read_bytes() for path in fleet.workers.glob("*/tmp/envs")]

    assert len(OPERATORS) >= 40
    assert seen
    assert all(CANARIES["SLACK_TOKEN"].encode() in one for one in seen)
    assert not [one for one in seen if b"canary-of-the-operator" in one or OPERATOR.encode() in one]
