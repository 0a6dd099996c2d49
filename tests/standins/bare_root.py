"""A root of its own for the scripts of deploy/: real shell, files and users, and stand-ins for what
would change this machine (systemctl, apt-get, runuser, …). Made by bubblewrap; needs no root.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.needs import need

CHECKOUT = Path(__file__).parents[2]
RESTRICTED = "proc/sys/kernel/apparmor_restrict_unprivileged_userns"
_FOLDERS = (
    *("dev", "etc/systemd/system", "etc/apparmor.d", "home/worker", "proc/sys/kernel"),
    *("root", "run/systemd/system", "stubs", "tmp", "usr/local/bin", "var/lib", "checkout"),
)
_SYSTEM = tuple(Path("/") / one for one in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"))
_FILES = {
    "etc/os-release": 'ID=debian\nVERSION_ID=12\nPRETTY_NAME="Debian 12"\n',
    # All of them are this one user, so that files can be given to them.
    "etc/passwd": "root:x:0:0::/root:/bin/sh\nworker:x:0:0::/home/worker:/bin/sh\n",
    "etc/group": "root:x:0:\nworker:x:0:\nredis:x:0:\n",
}
_STUBS = {
    "apt-get": "",
    "apparmor_parser": 'echo "apparmor_parser $*" >>/log',
    "systemctl": 'echo "systemctl $*" >>/log\n[ "$1" != is-active ]',
    "runuser": 'shift 3\nexec env AS=worker "$@"',
    # A virtual environment is one more of these.
    "python3": '[ "$1 $2" != "-m venv" ] || { mkdir -p "$3/bin" && cp "$0" "$3/bin/"; }',
    # Counts how deep it is; /walls says how deep it may be.
    "bwrap": (
        'depth=$((${DEPTH:-0} + 1))\n[ $depth -le "$(cat /walls)" ] || exit 1\n'
        "while :; do case $1 in --ro-bind) shift 3 ;; --proc | --dev | --cap-drop) shift 2 ;;"
        ' -*) shift ;; *) break ;; esac; done\nDEPTH=$depth exec "$@"'
    ),
}


@dataclass
class BareRoot:
    root: Path

    def run(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """With the checkout's deploy/ in /checkout."""
        return subprocess.run(
            [*self._wall(), *command],
            env={"PATH": "/stubs:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def install(self, *words: str, stdin: str = "") -> str:
        """deploy/install.sh, which has to succeed."""
        done = self.run("/checkout/deploy/install.sh", *words, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)

    def units(self) -> set[str]:
        return {one.stem for one in (self.root / "etc/systemd/system").glob("*.service")}

    def _wall(self) -> list[str]:
        folders = [one for one in _SYSTEM if one.is_dir() and not one.is_symlink()]
        system = [word for one in folders for word in ("--ro-bind", str(one), str(one))]
        return [
            need("bwrap"),
            *("--unshare-user", "--uid", "0", "--gid", "0", "--unshare-net", "--die-with-parent"),
            *("--bind", str(self.root), "/", "--ro-bind", "/usr", "/usr", *system),
            *("--bind", str(self.root / "usr/local"), "/usr/local", "--dev", "/dev"),
            *("--ro-bind", str(self.root / "stubs/runuser"), "/usr/sbin/runuser"),
            *("--ro-bind", str(CHECKOUT / "deploy"), "/checkout/deploy", "--chdir", "/"),
        ]


def make_root(folder: Path) -> BareRoot:
    made = BareRoot(folder)
    for one in _FOLDERS:
        (folder / one).mkdir(parents=True)
    for name, text in _FILES.items():
        made.write(name, text)
    for name, text in _STUBS.items():
        made.write(f"stubs/{name}", f"#!/bin/sh\n{text}\n", 0o755)
    made.write("walls", "2\n")
    for link in filter(Path.is_symlink, _SYSTEM):
        (folder / link.name).symlink_to(link.readlink())
    return made
