"""The append-only files of the private broker, as Redis 7 and Valkey keep them: a base, what was
commanded since (`incr`), and a manifest that names both in order. Nothing here asks a server.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cw.homes.files import sync_folder, write_private

FOLDER = "appendonlydir"
_MANIFEST = "appendonly.aof.manifest"
_LINE = re.compile(r"file (\S+) seq ([0-9]+) type ([bhi])")
_FILE = re.compile(r"appendonly\.aof\.([0-9]+)\.(?:base\.(?:rdb|aof)|incr\.aof)")
_MAGIC = re.compile(rb"(?:REDIS|VALKEY)[0-9]{3,4}")
_COUNT = re.compile(rb"\*([0-9]{1,9})\r\n")
_LENGTH = re.compile(rb"\$([0-9]{1,10})\r\n")


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    number: int
    base: bool

    def line(self) -> str:
        return f"file {self.name} seq {self.number} type {'b' if self.base else 'i'}\n"


def listed(data: Path) -> list[Part] | None:
    """Of the manifest; None: it is not there, or no server would take it."""
    try:
        text = (data / FOLDER / _MANIFEST).read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return None
    lines = [_LINE.fullmatch(line) for line in text.removesuffix("\n").split("\n")]
    if not text.endswith("\n"):
        return None
    found = [
        Part(line[1], int(line[2]), line[3] == "b") for line in lines if line and line[3] != "h"
    ]
    return found if all(lines) and found else None


def there(data: Path) -> list[Part]:
    """Of what lies there: the newest base and what came with it or later, in order."""
    names = [path.name for path in (data / FOLDER).glob("appendonly.aof.*") if path.is_file()]
    found = [
        Part(name, int(m[1]), ".base." in name) for name in names if (m := _FILE.fullmatch(name))
    ]
    bases = sorted((part for part in found if part.base), key=lambda part: part.number)[-1:]
    first = bases[0].number if bases else 0
    later = [part for part in found if not part.base and part.number >= first]
    return [*bases, *sorted(later, key=lambda part: part.number)]


def write_manifest(data: Path, parts: list[Part]) -> None:
    write_private(data / FOLDER / _MANIFEST, "".join(part.line() for part in parts).encode())


def written_by_another(path: Path) -> bool:
    """Whether it begins as a whole base does, of whatever version."""
    with path.open("rb") as file:
        return _MAGIC.match(file.read(16)) is not None


def command_at(path: Path, name: bytes) -> int | None:
    """Where the first command of that name begins, or the first thing that is no command; a server
    shows a name only up to its first NUL.
    """
    with path.open("rb") as file:
        while True:
            begin = file.tell()
            line = file.readline(1024)
            if not line:
                return None
            if line.startswith(b"#"):  # a note, with the time
                continue
            words = _command(file, line)
            if words is None or words.partition(b"\0")[0] == name:
                return begin


def _command(file: object, line: bytes) -> bytes | None:
    """Its first word; None: it is no command."""
    count, first = _COUNT.fullmatch(line), None
    for _ in range(int(count[1]) if count else 0):
        length = _LENGTH.fullmatch(file.readline(32))  # type: ignore[attr-defined]
        if not length:
            return None
        word = file.read(int(length[1]) + 2)  # type: ignore[attr-defined]
        if not word.endswith(b"\r\n"):
            return None
        first = word[:-2] if first is None else first
    return first


def new_place(base: Path) -> Path:
    """For what is put aside; each time another."""
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    names = (f"damaged-{stamp}", *(f"damaged-{stamp}-{n}" for n in range(2, 1000)))
    return next(base / name for name in names if not (base / name).exists())


def kept(base: Path) -> list[Path]:
    """What was put aside so far."""
    return sorted(base.glob("damaged-*"))


def copy_aside(data: Path, names: list[str]) -> Path:
    """Raises OSError when there is no room, and leaves nothing."""
    place = new_place(data.parent)
    place.mkdir(mode=0o700)
    try:
        for name in (*names, _MANIFEST):
            if (data / FOLDER / name).is_file():
                shutil.copy2(data / FOLDER / name, place)
    except OSError:
        shutil.rmtree(place, ignore_errors=True)
        raise
    sync_folder(place)
    return place


def put_aside(data: Path) -> Path:
    """All of it; the next start is an empty one."""
    place = new_place(data.parent)
    data.rename(place)
    data.mkdir(mode=0o700)
    sync_folder(data.parent)
    return place
