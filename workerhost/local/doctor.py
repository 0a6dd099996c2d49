"""What `cw doctor` finds of this machine that only a host's side can try: agents, walls, tokens."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from cw.check import Check
from cw.errors import CwError
from cw.homes.agent_user import agent_user
from cw.settings import Settings
from workerhost.agents.readiness import lacks_inner
from workerhost.github.token_access import check_access, open_access
from workerhost.local.inside import inside_checks
from workerhost.programs.known import runner_of
from workerhost.self_checks import library_guards
from workerhost.walls.isolation import bubblewrap_works, choose_wall, socat_there
from workerhost.walls.stepdown import cannot_step_down

# Says 1 where only programs with a rule of AppArmor make user namespaces (Ubuntu 24.04).
_RESTRICTION = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_LOAD_PROFILE = (
    "Give bubblewrap its rule, from the checkout: sudo install -m 644 deploy/apparmor/cw-bwrap"
    " /etc/apparmor.d/ && sudo apparmor_parser -r /etc/apparmor.d/cw-bwrap. For a container, on its"
    " machine: the same with cw-workerhost, and CW_APPARMOR=cw-workerhost in .env. If that does not"
    " help, for every program: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
)
_PROGRAM = {"bubblewrap": "bwrap", "socat": "socat"}


def checks(
    settings: Settings, environ: Mapping[str, str], programs: tuple[str, ...]
) -> Iterator[Check]:
    """`programs`: what agents are to find beside the usual."""
    yield agent_check(settings, environ)
    yield isolation_check(settings)
    yield from user_checks(settings)
    yield from inside_checks(settings, environ, programs)
    yield guard_check()
    yield from access_checks(settings)


def agent_check(settings: Settings, environ: Mapping[str, str]) -> Check:
    name = settings.agent_program
    try:
        runner = runner_of(settings)
        path = runner.find(settings, environ)
        version = runner.version(path)
    except CwError as error:
        return Check(name, "fail", error.message, error.hint)
    told = f"{version.text} ({path})"
    if version.wanted:
        return Check(name, "fail", f"{told} is older than {version.wanted}", version.fix)
    if lacks := lacks_inner(runner, settings):
        return Check(name, "fail", lacks, "Set CW_ISOLATION=outer")
    return Check(name, "ok", told)


def isolation_check(settings: Settings) -> Check:

    wall = choose_wall(settings)
    reason = wall.unfit and (bubblewrap_works(wall.user) or socat_there())
    if reason:
        return Check("isolation", "fail", f"nothing starts: {reason}", isolation_fix())
    if wall.unfit:
        return Check("isolation", "fail", f"nothing starts: {wall.unfit}", "As said at user")
    if wall.mode == "outer" and not runner_of(settings).inner:
        return Check(
            "isolation", "ok", f"outer: bubblewrap works; {settings.agent_program} has no sandbox"
        )
    if wall.warning:
        return Check("isolation", "warn", wall.warning, "Unset CW_ISOLATION")
    return Check("isolation", "ok", "strict: bubblewrap works, socat is there")


def guard_check() -> Check:
    """The host tries more of them, at each start: what it finds is said with the host."""
    why = library_guards()
    fix = "Install the versions that cw asks for: cw update"
    return Check("guards", "fail", why, fix) if why else Check("guards", "ok", "the libraries hold")


def isolation_fix(restriction: Path = _RESTRICTION) -> str:
    if platform.system() != "Linux":
        return "Set CW_ISOLATION=claude: its own sandbox around Bash, nothing around the rest"
    missing = [
        program for program in ("bubblewrap", "socat") if not shutil.which(_PROGRAM[program])
    ]
    if missing:
        return f"apt install {' '.join(missing)} (or dnf, pacman)"
    if restriction.exists() and restriction.read_text(encoding="ascii").strip() == "1":
        return _LOAD_PROFILE
    return (
        "Allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1 (for a container, on"
        " its machine; the container needs deploy/seccomp-bwrap.json as well)"
    )


def user_checks(settings: Settings) -> Iterator[Check]:
    """Of a host that is root's: its agents never are."""
    try:
        user = agent_user(settings)
    except CwError as error:
        yield Check("user", "fail", error.message, error.hint)
        return
    if user is None:
        return
    ordinary = "Run the host as an ordinary user, who owns host.workers_root"
    if reason := cannot_step_down(user):
        yield Check("user", "fail", reason, ordinary)
    else:
        text = f"root; agents run as {user.name}. The host itself reads what they make, as root"
        yield Check("user", "warn", text, ordinary)


def access_checks(settings: Settings) -> Iterator[Check]:
    """Who has GitHub tokens, and whether the App's can be had."""
    from workerhost.walls.isolation import choose_wall

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
