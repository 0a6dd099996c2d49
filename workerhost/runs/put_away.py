"""A conversation that is over: out of where its program reads it, into one file of `completed/`."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from cw.homes.files import UnfitFileError, open_regular, sync_folder
from cw.homes.layout import Home, in_place
from cw.homes.owner import inherit
from cw.redaction.redact import Redactor
from cw.redaction.streams import copy_blotted

ENDING = ".session.tar.gz"
_MOST_BYTES = 1 << 30
_MOST_FILES = 10_000


def put_away(home: Home, parts: Iterable[Path], target: Path, clean: Redactor) -> str:
    """Move files and folders of HOME into `target`, without secrets. Returns why they stay; empty:
    they do not. The archive is whole or not there, and only then are they removed: so it may be
    repeated. What in them is neither file nor folder was not written by a program, and is dropped.
    """
    there = [path for path in parts if os.path.lexists(path) and in_place(home, path)]
    if not there:
        return ""
    try:
        if not target.exists():
            _pack(home, list(_files(there)), target, clean)
        for path in there:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _files(parts: Iterable[Path]) -> Iterator[Path]:
    for part in parts:
        if not part.is_dir():
            yield part
        for folder, _, names in os.walk(part):  # follows no link
            yield from (Path(folder) / name for name in sorted(names))


def _pack(home: Home, files: list[Path], target: Path, clean: Redactor) -> None:
    sizes = {path: path.lstat().st_size for path in files}
    if len(sizes) > _MOST_FILES or sum(sizes.values()) > _MOST_BYTES:
        raise UnfitFileError("it is larger than 1 GB, or has more than 10,000 files")
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("wb") as out:
            part.chmod(0o600)
            with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
                for path in files:
                    if path.is_file() and not path.is_symlink():
                        _add(tar, home, path, clean)
            out.flush()
            os.fsync(out.fileno())
        inherit(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(target.parent)


def _add(tar: tarfile.TarFile, home: Home, path: Path, clean: Redactor) -> None:
    with open_regular(path) as source, tempfile.TemporaryFile(dir=home.completed) as blotted:
        copy_blotted(source, clean, blotted.write, os.fstat(source.fileno()).st_size)
        info = _about(source, path.relative_to(home.path))
        blotted.seek(0)
        tar.addfile(info, blotted)


def _about(source: IO[bytes], name: Path) -> tarfile.TarInfo:
    seen = os.fstat(source.fileno())
    info = tarfile.TarInfo(str(name))
    info.size, info.mtime, info.mode = seen.st_size, int(seen.st_mtime), 0o600
    return info
