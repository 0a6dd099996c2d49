"""How the text of a setting becomes its value. Raises ValueError for what does not fit."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_DOMAIN = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_ADDRESS = re.compile(r"[a-z][a-z0-9-]*:[^\x00-\x1f\x7f]+")
_TAG = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def text(raw: str) -> str:
    return raw


def path(raw: str) -> Path:
    if not raw:  # it would be the folder in which somebody happens to be
        raise ValueError(raw)
    return Path(raw).expanduser().absolute()


def names(raw: str) -> tuple[str, ...]:
    return tuple(raw.replace(",", " ").replace(os.pathsep, " ").split())


def domains(raw: str) -> tuple[str, ...]:
    found = tuple(raw.lower().replace(",", " ").split())
    if not all(_DOMAIN.fullmatch(domain) for domain in found):
        raise ValueError(raw)
    return found


def paths(raw: str) -> tuple[Path, ...]:
    return tuple(path(part) for part in raw.replace("\n", os.pathsep).split(os.pathsep) if part)


def host(raw: str) -> str:
    if not _HOST.fullmatch(raw):  # it becomes a part of a queue's and of a file's name
        raise ValueError(raw)
    return raw


def tags(raw: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(names(raw)))
    if not all(_TAG.fullmatch(tag) for tag in found):  # each becomes a part of a queue's name
        raise ValueError(raw)
    return found


def labels(raw: str) -> tuple[str, ...]:
    """Names of labels have spaces and colons; the comma is ours, the line break the file's."""
    return tuple(label.strip() for label in raw.replace("\n", ",").split(",") if label.strip())


def addresses(raw: str) -> tuple[str, ...]:
    """`scheme:place`, as `labels` stand beside each other."""
    found = labels(raw)
    if not all(_ADDRESS.fullmatch(address) for address in found):
        raise ValueError(raw)
    return found


def switch(raw: str) -> bool:
    if raw.lower() not in {"0", "1", "true", "false"}:
        raise ValueError(raw)
    return raw.lower() in {"1", "true"}


def amount(raw: str) -> float:
    value = float(raw)
    if not 0 <= value < float("inf"):
        raise ValueError(raw)
    return value


def count(raw: str) -> int:
    value = int(raw)
    if value < 0:
        raise ValueError(raw)
    return value


def url(raw: str) -> str:
    if not raw.startswith(("http://", "https://")):
        raise ValueError(raw)
    return raw.rstrip("/")


@dataclass(frozen=True, slots=True)
class OneOf:
    words: tuple[str, ...]

    def __call__(self, raw: str) -> str:
        if raw not in self.words:
            raise ValueError(raw)
        return raw


def one_of(*words: str) -> OneOf:
    return OneOf(words)
