"""A newer cw whose every file is checked: the wheel against what the index says of it, and what it
depends on against the hashes in the lock that the wheel brings along. pip's work; ours is the list.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from cw.errors import CwError
from cw.services.installed import PACKAGE, Command, Installed

LOCK = "cw/requirements.txt"  # in the wheel; deploy/requirements.txt in the source
_LIST = "requirements.txt"


@dataclass(frozen=True, slots=True)
class Fetched:
    """`packages`: those with hashes in the lock; 0: the wheel has none."""

    wheel: str
    version: str
    sha256: str
    packages: int

    def describe(self) -> str:
        """What was checked, for a person."""
        what = f"{self.wheel} has sha256 {self.sha256}"
        if not self.packages:
            return f"{what}; it brings no lock, so what it depends on is only as the index says"
        return f"{what}; its lock has the hashes of {self.packages} packages, which pip requires"


def can_verify(installed: Installed) -> bool:
    """From an index, and with a pip that can fetch before it installs."""
    return installed.tool == "pip" and not installed.checkout and not installed.source


def how_far(installed: Installed) -> str:
    """What is checked where we cannot look first."""
    if installed.checkout or installed.source:
        return "Not verified: it comes from its source, as that is now"
    return (
        f"{installed.tool} checks each file against the hash that the index gives, no lock of ours"
    )


def fetch(installed: Installed, room: Path) -> Command:
    """pip checks what it fetches against the hash in the index."""
    quiet = ("--quiet", "--no-input", "--disable-pip-version-check")
    pip = (installed.python, "-m", "pip", "download")
    return (*pip, *quiet, "--no-deps", "-d", str(room), PACKAGE)


def install(installed: Installed, room: Path) -> Command:
    """What `write_list` listed. Without dependencies: all of them are in the list."""
    words = ("--no-input", "--disable-pip-version-check", "--upgrade", "--no-deps")
    list_ = str(room / _LIST)
    return (installed.python, "-m", "pip", "install", *words, "--require-hashes", "-r", list_)


def write_list(room: Path) -> Fetched:
    """Of the one wheel that was fetched, and its lock. Raises CwError when there is none."""
    wheels = sorted(room.glob("*.whl"))
    if len(wheels) != 1:
        raise CwError(f"the index gave {len(wheels)} wheels of {PACKAGE}", hint="Try again later")
    (wheel,) = wheels
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = _lock_of(wheel)
    own = f"{PACKAGE} @ {wheel.as_uri()} --hash=sha256:{digest}\n"
    (room / _LIST).write_text(lock + own, encoding="utf-8")
    return Fetched(wheel.name, wheel.name.split("-")[1], digest, lock.count("=="))


def _lock_of(wheel: Path) -> str:
    try:
        with zipfile.ZipFile(wheel) as file:
            return file.read(LOCK).decode()
    except KeyError:  # of a version before there was one
        return ""
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise CwError(f"{wheel.name} cannot be read", hint="Try again later") from error
