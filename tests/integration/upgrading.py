"""A machine as an earlier version left it, from the texts that `script/record-upgrade` made."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from bench.upgrade import keys, signatures
from bench.upgrade.freezing import CLONE, WORKERS
from bench.upgrade.templates import Place
from cw.processid import boot_id, start_time
from tests.integration.hosting import Machine
from tests.walls import owned

# In the place of the shim and its agent, which cannot be frozen: it leaves what they left.
_LAST_OF_A_RUN = """
import pathlib, sys, time  # shim.py
run, rest, ended, branch, head = map(pathlib.Path, sys.argv[1:])
while not (run.parent / "tmp" / "go").exists():
    time.sleep(0.05)
branch.write_text(f"{head}\\n")
with (run / "worker.log").open("a") as log:
    log.write(rest.read_text())
(run / "exit.json.new").write_text(ended.read_text())
(run / "exit.json.new").rename(run / "exit.json")
"""


def restore(here: Machine, frozen: Path) -> Place:
    """As if the recording ended now."""
    place = Place(here.folder)
    assert len(str(here.folder)) == len("/tmp/cwm-12345678"), "streams count the bytes of logs"
    here.repo = here.folder / "app"
    for worker in WORKERS[1:]:
        here.add_worker(worker)
    key = (here.folder / "signing.key").read_text("ascii").strip()
    _restore_files(frozen / "files", place, key)
    for made in sorted((frozen / "work").iterdir()):
        clone = here.home(made.name).clones / CLONE
        _restore_repository(made, here.repo if made.name == "app" else clone, place)
    for worker in WORKERS:
        owned(here.home(worker))
    audit = (here.folder / "state" / "audit" / "here.jsonl").read_text("utf-8")
    last = json.loads(audit.splitlines()[-1])["hash"]
    with redis.Redis.from_url(here.url) as client:
        text = place.restored((frozen / "broker.txt").read_text("utf-8"))
        prompts = {}
        for kind, name, life, rows in keys.read(text):
            if name.startswith("cw:prompt:"):
                prompts[name.rpartition(":")[2]] = rows[0][0]
            signed = [_signed(row, name, key, prompts, last) for row in rows]
            keys.put(client, kind, name, life, signed)
    return place


@contextmanager
def still_running(here: Machine, frozen: Path, worker: str) -> Iterator[Path]:
    """Its shim and agent. Yields the file that they wait for."""
    home, place = here.home(worker), Place(here.folder)
    book = json.loads(home.journal.read_bytes())
    branch = home.clones / CLONE / ".git" / "refs" / "heads" / book["start"]["branch"]
    head = branch.read_text("ascii").strip()
    branch.write_text(f"{book['start']['base_sha']}\n")
    texts = []
    for name in ("rest.log", "exit.json"):
        texts.append(here.folder / name)
        texts[-1].write_text(place.restored((frozen / name).read_text("utf-8")))
    command = [sys.executable, "-c", _LAST_OF_A_RUN, home.run, *texts, branch, head]
    with subprocess.Popen(list(map(str, command))) as process:
        known = json.loads(home.shim.read_bytes())
        told = {"pid": process.pid, "start": start_time(process.pid), "boot": boot_id()}
        home.shim.write_text(json.dumps(known | told | {"agent": process.pid}))
        try:
            yield home.tmp / "go"
        finally:
            process.kill()


def _restore_files(files: Path, place: Place, key: str) -> None:
    for path in files.rglob("*"):
        if path.is_file():
            to = place.folder / place.named(str(path.relative_to(files)))
            text = place.restored(path.read_text("utf-8"))
            if to.suffix == ".jsonl" and to.parent.name == "audit":
                text = "\n".join(signatures.chained(text.splitlines())) + "\n"
            if to.parent.name in {"run", "completed"} and '"signature"' in text:
                book = json.loads(text)
                book["task"] = _signed_spec(book["task"], key, "")
                text = json.dumps(book, indent=2)
            to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            to.write_text(text, "utf-8")
            to.chmod(0o600)


def _signed(row: list[str], name: str, key: str, prompts: dict[str, str], last: str) -> list[str]:
    """A row of a key, with signatures of ours where it has some. `last`: hash of the audit file."""
    if name.startswith("cw:task:") and row[0] == "spec":
        spec = _signed_spec(json.loads(row[1]), key, prompts[name.rpartition(":")[2]])
        return ["spec", json.dumps(spec, separators=(",", ":"))]
    if name == "cw:audit":
        data = json.loads(row[1])["data"]
        return [row[0], signatures.sealed(key, "audit", [*data[:2], last])]
    if name.startswith("cw:outbox:"):
        return [signatures.sealed(key, "effect", json.loads(row[0])["data"])]
    if name == "workers":
        message = json.loads(row[0])
        message["headers"]["cw"]["mac"] = signatures.of_message(key, message)
        return [json.dumps(message)]
    return row


def _signed_spec(spec: dict[str, Any], key: str, prompt: str) -> dict[str, Any]:
    if prompt:  # its times are others now
        spec = spec | {"prompt_sha256": signatures.prompt_sha256(prompt)}
    return spec | {"signature": signatures.of_record(key, spec)}


def _restore_repository(made: Path, to: Path, place: Place) -> None:
    def git(*args: str, given: str = "") -> None:
        command = ["git", "-c", "safe.directory=*", "-C", str(to), *args]
        subprocess.run(command, input=given, check=True, capture_output=True, text=True)

    to.mkdir(parents=True, exist_ok=True)
    git("init", "-q")
    git("fast-import", "--quiet", given=(made / "export").read_text("utf-8"))
    for name in ("config", "HEAD"):
        (to / ".git" / name).write_text(place.restored((made / name).read_text("utf-8")))
    git("reset", "-q", "--hard")
