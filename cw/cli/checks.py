"""What `cw doctor` looks at. Each check says what is missing and exactly how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cw.address import exposed
from cw.cli.check import Check, State
from cw.cli.context import Cli
from cw.cli.githubchecks import github_checks
from cw.cli.insidechecks import inside_checks
from cw.cli.logincheck import login_checks
from cw.errors import CwError, NotStartedError
from cw.services import appendonly, trouble
from cw.settings import Settings
from workerhost.homes.layout import Home, homes

_GIB = 1 << 30
_WIDE = ("ghp_", "gho_")  # tokens that cannot be narrowed to repositories
_LITTLE_DISK = 5 * _GIB
_NO_DISK = _GIB
# Says 1 where only programs with a rule of AppArmor make user namespaces (Ubuntu 24.04).
_RESTRICTION = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_LOAD_PROFILE = (
    "Give bubblewrap its rule, from the checkout: sudo install -m 644 deploy/apparmor/cw-bwrap"
    " /etc/apparmor.d/ && sudo apparmor_parser -r /etc/apparmor.d/cw-bwrap. For a container, on its"
    " machine: the same with cw-workerhost, and CW_APPARMOR=cw-workerhost in .env. If that does not"
    " help, for every program: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
)
_PROGRAM = {"bubblewrap": "bwrap", "socat": "socat"}


def all_checks(cli: Cli, programs: tuple[str, ...] = ()) -> Iterator[Check]:
    """`programs`: what agents are to find beside the usual."""
    yield Check("python", "ok", platform.python_version())
    yield git_check()
    yield claude_check(cli)
    yield isolation_check(cli)
    yield from user_checks(cli)
    yield from inside_checks(cli, programs)
    yield guard_check()
    yield from access_checks(cli)
    yield key_check(cli)
    yield from broker_checks(cli)
    yield disk_check(cli.settings.workers_root)
    yield from worker_checks(cli)
    yield from login_checks(cli)
    yield from github_checks(cli)


def git_check() -> Check:
    """The host's own; `agents' git` is another check."""
    text = _version("git")
    if text:
        return Check("git", "ok", text)
    return Check("git", "fail", "not installed", "apt install git (or brew install git)")


def claude_check(cli: Cli) -> Check:
    from workerhost.agents.claude import (
        HOW_TO_GET,
        MIN_VERSION,
        claude_version,
        find_claude,
        new_enough,
    )

    try:
        path = find_claude(cli.settings, cli.environ)
        version = claude_version(path)
    except CwError as error:
        return Check("claude", "fail", error.message, error.hint)
    if new_enough(version):
        return Check("claude", "ok", f"{version} ({path})")
    wanted = ".".join(map(str, MIN_VERSION))
    return Check(
        "claude",
        "fail",
        f"{version} ({path}) is older than {wanted}",
        f"claude update; {HOW_TO_GET}",
    )


def isolation_check(cli: Cli) -> Check:
    from workerhost.walls.isolation import bubblewrap_works, choose_wall, socat_there

    wall = choose_wall(cli.settings)
    reason = wall.unfit and (bubblewrap_works(wall.user) or socat_there())
    if reason:
        return Check("isolation", "fail", f"nothing starts: {reason}", isolation_fix())
    if wall.unfit:
        return Check("isolation", "fail", f"nothing starts: {wall.unfit}", "As said at user")
    if wall.warning:
        return Check("isolation", "warn", wall.warning, "Unset CW_ISOLATION")
    return Check("isolation", "ok", "strict: bubblewrap works, socat is there")


def guard_check() -> Check:
    """The host tries more of them, at each start: what it finds is said with the host."""
    from workerhost.guards import library_guards

    why = library_guards()
    fix = "Install the versions that cw asks for: cw update"
    return Check("guards", "fail", why, fix) if why else Check("guards", "ok", "the libraries hold")


def isolation_fix(restriction: Path = _RESTRICTION) -> str:
    if platform.system() != "Linux":
        return "Set CW_ISOLATION=claude: its own sandbox around Bash, nothing around the rest"
    missing = [one for one in ("bubblewrap", "socat") if not shutil.which(_PROGRAM[one])]
    if missing:
        return f"apt install {' '.join(missing)} (or dnf, pacman)"
    if restriction.exists() and restriction.read_text(encoding="ascii").strip() == "1":
        return _LOAD_PROFILE
    return (
        "Allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1 (for a container, on"
        " its machine; the container needs deploy/seccomp-bwrap.json as well)"
    )


def user_checks(cli: Cli) -> Iterator[Check]:
    """Of a host that is root's: its agents never are."""
    from workerhost.walls.stepdown import cannot_step_down
    from workerhost.walls.user import agent_user

    try:
        user = agent_user(cli.settings)
    except CwError as error:
        yield Check("user", "fail", error.message, error.hint)
        return
    if user is None:
        return
    ordinary = "Run the host as an ordinary user, who owns workers_root"
    if reason := cannot_step_down(user):
        yield Check("user", "fail", reason, ordinary)
    else:
        text = f"root; agents run as {user.name}. The host itself reads what they make, as root"
        yield Check("user", "warn", text, ordinary)


def access_checks(cli: Cli) -> Iterator[Check]:
    """Who has GitHub tokens, and whether the App's can be had."""
    from workerhost.github.access import check_access, open_access
    from workerhost.walls.isolation import choose_wall

    settings = cli.settings
    try:
        access = open_access(settings)
        check_access(settings, choose_wall(settings))
        who = access.app.login() if access.app else ""
    except CwError as error:
        yield Check("github access", "fail", error.message, error.hint)
        return
    has = "agents have a token" if settings.github_access == "agent" else "agents have no token"
    yield Check("github access", "ok", f"{has}, of {who} for one repository each" if who else has)
    kept = settings.github_app_key_file
    if kept and kept.resolve().is_relative_to(settings.workers_root.resolve()):
        text = f"{kept} lies below {settings.workers_root}, where agents read"
        yield Check("github access", "fail", text, "Move it out of every worker's HOME")


def key_check(cli: Cli) -> Check:
    """Shown by a mark made of it, which is the same on every machine of a fleet."""
    from cw.keyring import key_file, load_keyring

    path = key_file(cli.settings)
    if not path.exists() and not cli.settings.signing_key_file:
        return Check("signing key", "ok", "none yet; made when first needed")
    try:
        return Check("signing key", "ok", f"{load_keyring(cli.settings).id} ({path})")
    except CwError as error:
        return Check("signing key", "fail", error.message, error.hint)


def broker_checks(cli: Cli) -> Iterator[Check]:
    try:
        cli.store.ping()
        warnings = cli.store.server_warnings()
        hosts, now = cli.store.fleet.hosts(), cli.store.tasks.now()
    except CwError as error:
        why = "" if cli.settings.broker_url else trouble.read(cli.settings).get("broker", "")
        if isinstance(error, NotStartedError) and not why:
            yield Check("broker", "next", "not started yet", "cw up -d, or set CW_BROKER_URL")
            return
        text = f"{error.message}: {why}" if why else error.message
        yield Check("broker", "fail", text, error.hint)
        return
    yield Check("broker", "ok", "answers")
    yield from damage_checks(cli.settings)
    missing = exposed(cli.settings.broker_url)
    if missing:
        text = f"{missing} (CW_BROKER_INSECURE=1): whoever is on its network steers agents"
        yield Check("broker", "warn", text, "rediss://USER:PASSWORD@HOST in CW_BROKER_URL")
    from cw.operations.aside import look_at_all
    from cw.store.unreadable import HOW_TO_MEND

    for one in look_at_all(cli.store):
        yield Check("records", "warn", f"{one.what} cannot be read: {one.why}", HOW_TO_MEND)
    for text in warnings:
        about, _, fix = text.partition(" (redis.conf: ")
        yield Check("broker", "warn", about, f"redis.conf: {fix.removesuffix(')')}" if fix else "")
    name = cli.settings.host_name
    mine = next((one for one in hosts if one.name == name), None)
    if mine and mine.up(now):
        state: State = "fail" if mine.unfit else "warn" if mine.warning else "ok"
        yield Check("host", state, mine.warning or f"{name} runs, with {mine.workers} workers")
    else:
        why = trouble.read(cli.settings).get("host", "")
        yield Check(
            "host", "warn", f"none is running on {name}{f': {why}' if why else ''}", "cw up"
        )


def damage_checks(settings: Settings) -> Iterator[Check]:
    """What was put aside of the private broker's files; nobody else takes it away."""
    for kept in appendonly.kept(settings.state_dir / "broker"):
        fix = f"When nothing is missing in cw status: rm -r {kept}"
        yield Check("broker files", "warn", f"they were damaged; as they were: {kept}", fix)


def disk_check(folder: Path) -> Check:
    there = next(one for one in (folder, *folder.parents) if one.exists())
    free = shutil.disk_usage(there).free
    text = f"{free / _GIB:.1f} GiB free at {there}"
    if free < _NO_DISK:
        return Check("disk", "fail", text, f"Free some: du -sh {folder}/*/github/*")
    if free < _LITTLE_DISK:
        return Check("disk", "warn", text, f"Free some: du -sh {folder}/*/github/*")
    return Check("disk", "ok", text)


def worker_checks(cli: Cli) -> Iterator[Check]:
    found = homes(cli.settings.workers_root)
    if not found:
        yield Check("workers", "next", f"none in {cli.settings.workers_root} yet", "cw init 01")
    for home in found:
        found_here = (token_check(home, cli), mode_check(home), commit_check(home, cli))
        for one in (*found_here, *file_checks(home)):
            yield replace(one, worker=home.id)


def token_check(home: Home, cli: Cli) -> Check:
    """Names only, never values."""
    from workerhost.credentials.agentenv import own_variables
    from workerhost.homes.home import LOGINS

    passed = {one for one in cli.settings.agent_env if cli.environ.get(one)}
    names = {*own_variables(home), *passed}
    name = f"worker {home.id} tokens"
    logins = [one for one in LOGINS if one in names]
    if not logins:
        return Check(
            name, "fail", f"{' and '.join(LOGINS)} are missing", f"Set one in {home.zshenv}"
        )
    if len(logins) > 1:
        text = "has both tokens: the API key wins and the subscription is not used"
        return Check(name, "warn", text, f"Remove one from {home.zshenv}")
    elsewhere = cli.settings.github_app_id or (
        cli.settings.github_access == "host" and cli.settings.github_token
    )
    if not names & {"GH_TOKEN", "GITHUB_TOKEN"} and not elsewhere:
        text = "GH_TOKEN is missing: no work on GitHub repositories"
        return Check(name, "warn", text, f"Set it in {home.zshenv}")
    own = own_variables(home)
    lent = cli.settings.github_access == "agent" and not cli.settings.github_app_id
    if lent and (own.get("GH_TOKEN") or own.get("GITHUB_TOKEN") or "").startswith(_WIDE):
        text = "GH_TOKEN is a classic token: it reaches every repository of its account"
        fix = (
            "Use a fine-grained one or a GitHub App, for the repositories this worker is meant for"
        )
        return Check(name, "warn", text, fix)
    return Check(name, "ok", ", ".join(sorted(names & {*LOGINS, "GH_TOKEN", "GITHUB_TOKEN"})))


def commit_check(home: Home, cli: Cli) -> Check:
    """Whether an agent's git can commit there: it is tried."""
    from cw.cli.disk import clean_of
    from workerhost.clones.committing import advice, cannot_commit
    from workerhost.walls.isolation import choose_wall

    name = f"worker {home.id} commits"
    said = cannot_commit(home, choose_wall(cli.settings), cli.settings, cli.environ)
    if said:
        return Check(name, "fail", f"no commit works: {clean_of(cli, home)(said)}", advice(home))
    return Check(name, "ok", "its git can commit")


def file_checks(home: Home) -> Iterator[Check]:
    """What a run left that nobody can read any more."""
    from workerhost.homes.archives import archives

    bad = sorted(home.run.glob("*.corrupt-*"))
    deque(archives(home, bad.append), maxlen=0)
    for path in bad:
        name = f"worker {home.id} history"
        yield Check(name, "warn", f"{path} cannot be read and is passed over", f"rm {path}")


def mode_check(home: Home) -> Check:
    """Only the owner may read a HOME: it holds tokens."""
    from workerhost.github.access import open_files

    name = f"worker {home.id} files"
    open_ones = open_files(home)
    if open_ones:
        fix = f"chmod -R go= {home.path}"
        return Check(name, "fail", f"others may use {_names(open_ones)}", fix)
    return Check(name, "ok", "private")


def _names(paths: list[Path]) -> str:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}"


def _version(program: str) -> str:
    """What it says about itself; empty when it does not start."""
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=15,
            check=False,
            env={**os.environ, "GH_NO_UPDATE_NOTIFIER": "1"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.splitlines()[0] if done.returncode == 0 and done.stdout else ""
