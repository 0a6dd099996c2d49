"""A pristine Debian 12 that has booted systemd, in a throw-away root of its own; network as here.

Made once by debootstrap, with this machine's mirror, certificates and settings of pip; each run
lays an overlay over it. Needs root, debootstrap, systemd-nspawn and overlayfs.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import wait_until

_PACKAGES = "ca-certificates,dbus,iproute2,procps,python3,python3-venv,systemd,systemd-sysv"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_BOOT_SECONDS = 60.0
_NSPAWN = (
    "systemd-nspawn",
    *("--quiet", "--boot", "--register=no", "--keep-unit", "--console=pipe"),
    "--resolv-conf=replace-host",
)


@dataclass
class Machine:
    """`nspawn`: the process that holds it."""

    root: Path
    nspawn: int

    def run(self, command: str, *, stdin: str = "", more: dict[str, str] | None = None) -> str:
        """A shell command of its root."""
        return self._enter(["bash", "-c", command], stdin, {"HOME": "/root", **(more or {})})

    def ssh(self, user: str, command: str, *, stdin: str = "") -> str:
        """What sshd does with a command: the user's shell, no terminal, hardly any environment."""
        home = f"/home/{user}"
        become = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"]
        return self._enter(
            [*become, "bash", "-c", command], stdin, {"HOME": home, "USER": user, "LOGNAME": user}
        )

    def _enter(self, command: list[str], stdin: str, environment: dict[str, str]) -> str:
        env = [f"{name}={text}" for name, text in ({"PATH": _PATH} | environment).items()]
        done = subprocess.run(
            ["nsenter", "-t", str(_leader(self.nspawn)), "-a", "--", "env", "-i", *env, *command],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{shlex.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr


@contextmanager
def booted(cache: Path) -> Iterator[Machine]:
    base = _base(cache)
    room = Path(tempfile.mkdtemp(prefix="run.", dir=cache))
    root = room / "root"
    for one in ("root", "upper", "work"):
        (room / one).mkdir()
    layers = f"lowerdir={base},upperdir={room / 'upper'},workdir={room / 'work'}"
    _call("mount", "-t", "overlay", "overlay", "-o", layers, str(root))
    nspawn = subprocess.Popen(
        [*_NSPAWN, "-D", str(root), "-M", f"cw{secrets.token_hex(4)}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        machine = Machine(root, nspawn.pid)
        wait_until(lambda: _is_up(machine), _BOOT_SECONDS, "systemd to have booted")
        yield machine
    finally:
        _power_off(nspawn)
        _call("umount", "-l", str(root))
        shutil.rmtree(room)


def _base(cache: Path) -> Path:
    base, done = cache / "bookworm", cache / "bookworm.done"
    if done.exists():
        return base
    print("making a root of Debian 12, once", flush=True)
    cache.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(base, ignore_errors=True)
    include = f"--include={_PACKAGES}"
    _call("debootstrap", "--variant=minbase", include, "bookworm", str(base), *_mirror())
    for pattern in (
        "etc/apt/apt.conf.d/99*",
        "etc/pip.conf",
        "usr/local/share/ca-certificates/*.crt",
    ):
        for one in Path("/").glob(pattern):
            (base / pattern).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(one, base / one.relative_to("/"))
    _call("chroot", str(base), "update-ca-certificates")
    (base / "etc" / "machine-id").write_text("", encoding="ascii")
    done.touch()
    return base


def _mirror() -> list[str]:
    """This machine's own, if it is a Debian; else debootstrap's choice."""
    sources = Path("/etc/apt/sources.list.d/debian.sources")
    lines = sources.read_text(encoding="utf-8").splitlines() if sources.exists() else []
    return [line.split()[1] for line in lines if line.startswith("URIs:")][:1]


def pip_settings() -> dict[str, str]:
    """Where this machine's pip gets things, for the one inside; certificates are in the root."""
    kept = {name: text for name, text in os.environ.items() if name.startswith("PIP_")}
    return kept | dict.fromkeys(("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), _BUNDLE)


def _leader(pid: int) -> int:
    """Its PID 1, as this machine counts; another one for the first moment."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    if not text:
        raise AssertionError("the machine has ended")
    return int(text[0])


def _is_up(machine: Machine) -> bool:
    try:
        return "running" in machine.run("systemctl is-system-running")
    except AssertionError as error:
        return "degraded" in str(error)


def _power_off(nspawn: subprocess.Popen[bytes]) -> None:
    """As its PID 1 understands it; a machine that does not end is killed."""
    try:
        os.kill(_leader(nspawn.pid), signal.SIGRTMIN + 4)  # power off
        nspawn.wait(60)
    except (OSError, AssertionError, subprocess.TimeoutExpired):
        nspawn.kill()
        nspawn.wait()


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{shlex.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
