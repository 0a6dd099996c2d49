"""What is done about files of the private broker that its server cannot use, and in which words.

Whatever is changed was put aside first. What cannot be read is not lost as a whole: hosts tell an
emptied broker of live runs and finished tasks again, from the HOMEs.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from cw.services import appendonly
from cw.services.broker_server import Server
from cw.settings import Settings

_TOOL_SECONDS = 600
_NOISE = ("Server initialized", "WARNING", "Configuration loaded", "User requested shutdown")
_VERSION = re.compile(r"(?:Redis|Valkey) version=|is starting")
_STAMP = re.compile(r"^\d+:[A-Z] .*? ([#*.-]) ")
# As Redis 7.0.15 and Valkey 9.1.2 say it.
_PART = re.compile(
    r"(?:Bad file format|Unknown command '(?P<old>.*)'|Error|Unexpected end of file) reading the"
    r" append only file (?P<name>[\w.]+)(?:.*unknown command '(?P<new>.*?)')?"
)
_NO_PART = re.compile(r"Unable to obtain the AOF file (\S+) length\. stat: No such file")
_BASE = re.compile(r"Internal error in RDB|Short read|[Ww]rong (?:RDB checksum|signature)|RDB CRC")
_FUTURE = re.compile(r"Can't handle RDB format version .*|Out Of Memory.*")
_AGAIN = "hosts tell it of runs and finished tasks; of tasks that only waited some may be missing"


def reason(said: str) -> str:
    """The last thing of weight in what a server wrote before it ended."""
    if future := _FUTURE.search(said):
        return future[0]
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    plain = [_STAMP.sub("", line) for line in lines if not _VERSION.search(line)]
    heavy = [_STAMP.sub("", line) for line in lines if (m := _STAMP.match(line)) and m[1] == "#"]
    worth = [
        line for line in heavy or plain if not line.startswith(_NOISE) and "version=" not in line
    ]
    found = (worth or plain or ["it does not say why"])[-1][:300]
    return "".join(char if char.isprintable() else "?" for char in found)


def before_start(settings: Settings) -> str:
    """What a server would not notice: without its manifest, or with an empty base, it starts empty
    and writes over the rest. A sentence about what was done; empty when nothing was.
    """
    data = settings.state_dir / "broker" / "data"
    there = appendonly.there(data)
    if not there:
        return ""
    parts = appendonly.listed(data)
    if parts is None:
        kept = appendonly.copy_aside(data, [])
        appendonly.write_manifest(data, there)
        return f"the list of the broker's files was damaged and is made anew; the old one: {kept}"
    empty = [
        part for part in parts if part.base and _is_empty(data / appendonly.FOLDER / part.name)
    ]
    return _begin_anew(data, f"{empty[0].name} is empty") if empty else ""


def after_end(settings: Settings, server: Server, said: str) -> str:
    """The same, for what a server said before it ended. Raises OSError."""
    data = settings.state_dir / "broker" / "data"
    if _FUTURE.search(said):
        return ""
    missing, part = _NO_PART.search(said), _PART.search(said)
    if missing and missing[1].endswith(".incr.aof"):
        kept = appendonly.copy_aside(data, [])
        appendonly.write_manifest(data, appendonly.there(data))
        return (
            f"the broker's file {missing[1]} is gone; its list without it is new, the old: {kept}"
        )
    if part and part["name"].endswith(".incr.aof"):
        return _cut(data, part["name"], server, part["old"] or part["new"], reason(said))
    path = data / appendonly.FOLDER / (part["name"] if part else "")
    if part and path.is_file() and appendonly.written_by_another(path):
        return ""
    return _begin_anew(data, reason(said)) if part or missing or _BASE.search(said) else ""


def _cut(data: Path, name: str, server: Server, command: str | None, why: str) -> str:
    """Keep what comes before the damage: nothing after it can be trusted to belong there."""
    path = data / appendonly.FOLDER / name
    parts = appendonly.listed(data) or appendonly.there(data)
    numbers = [part.name for part in parts]
    if name not in numbers:
        return ""
    later = parts[numbers.index(name) + 1 :]
    kept = appendonly.copy_aside(data, [name, *(part.name for part in later)])
    size = path.stat().st_size
    _fix(path, server)
    if path.stat().st_size == size and command is not None:
        at = appendonly.command_at(path, command.encode("utf-8", "surrogateescape"))
        os.truncate(path, size if at is None else at)
    left = path.stat().st_size
    if left == size:
        return _begin_anew(data, why)
    if later:
        appendonly.write_manifest(data, parts[: numbers.index(name) + 1])
        for part in later:
            (data / appendonly.FOLDER / part.name).unlink(missing_ok=True)
    return (
        f"the broker's file {name} was damaged ({why}): {left} of its {size} bytes are used, the"
        f" whole of it is in {kept}; {_AGAIN}"
    )


def _fix(path: Path, server: Server) -> None:
    """Each server is its own tool, under another name (Redis 7.0, Valkey 9.1). One file at a time:
    Valkey's takes its own base for damaged.
    """
    tool = "redis-check-aof" if server.kind == "redis-server" else "valkey-check-aof"
    subprocess.run(
        [tool, "--fix", path.name],
        executable=server.binary,
        cwd=path.parent,
        input=b"y\n",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_TOOL_SECONDS,
        check=False,
    )


def _begin_anew(data: Path, why: str) -> str:
    kept = appendonly.put_aside(data)
    return (
        f"the broker's files could not be read ({why}): it begins empty, they are in {kept};"
        f" {_AGAIN}"
    )


def _is_empty(path: Path) -> bool:
    return path.suffix == ".rdb" and path.is_file() and not path.stat().st_size
