"""A machine's state as texts that a person can read."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import redis

from bench.upgrade import keys, signatures
from bench.upgrade.templates import Place
from tests.integration.hosting import Machine

WORKERS = ("01", "02", "03", "04")
CLONE = "git/app-12345678"
_FILES = (
    ".config/cw/config.toml",
    "state/audit/*",
    "state/proven.json",
    "workers/.machine",
    "workers/*/.cw.json",
    "workers/*/.zshenv",
    "workers/*/.claude/*.*",
    "workers/*/.claude/projects/*/*",
    "workers/*/completed/*",
    "workers/*/run/*",
)
_MADE_ANEW = frozenset({"exit.json.room"})  # zeros


def freeze(here: Machine, place: Place, out: Path) -> None:
    with redis.Redis.from_url(here.url) as client:
        _check(here, client)
        (out / "broker.txt").write_text(place.frozen(keys.written(client)), "utf-8")
    for pattern in _FILES:
        for path in here.folder.glob(pattern):
            if path.is_file() and path.stat().st_size and path.name not in _MADE_ANEW:
                name = place.name(str(path.relative_to(here.folder)))
                text = path.read_text("utf-8").replace(str(Path.cwd()), "/opt/cw")
                _put(out / "files" / name, place.frozen(text))


def freeze_work(here: Machine, place: Place, out: Path) -> None:
    """Repositories, as `git fast-import` takes them."""
    clones = {worker: here.home(worker).clones / CLONE for worker in WORKERS}
    for name, repository in {"app": here.repo, **clones}.items():
        _put(out / "work" / name / "export", _exported(repository))
        for file in ("config", "HEAD"):
            text = (repository / ".git" / file).read_text("utf-8")
            _put(out / "work" / name / file, place.frozen(text))


def _exported(repository: Path) -> str:
    command = ["git", "-c", "safe.directory=*", "-C", str(repository), "fast-export", "--all"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _check(here: Machine, client: Any) -> None:
    """That what is written down about signatures is true of this version."""
    key = (here.folder / "signing.key").read_text().strip()
    for name in client.scan_iter("cw:task:*"):
        spec = json.loads(client.hget(name, "spec"))
        assert signatures.of_record(key, spec) == spec["signature"]
    (message,) = map(json.loads, client.lrange("workers", 0, -1))
    assert signatures.of_message(key, message) == message["headers"]["cw"]["mac"]
    head = client.hget("cw:audit", "here").decode()
    assert signatures.sealed(key, "audit", json.loads(head)["data"]) == head
    (effect,) = (row.decode() for row in client.lrange("cw:outbox:there", 0, -1))
    assert signatures.sealed(key, "effect", json.loads(effect)["data"]) == effect
    lines = (here.folder / "state" / "audit" / "here.jsonl").read_text().splitlines()
    assert signatures.chained(lines) == lines
