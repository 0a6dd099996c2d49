"""What real git says when a network step fails, over http and https, and what the door's proxy saw.

`python -m tests.integration.gitwords` makes git_words.json anew: a table by git's version and TLS
library, for whoever decides which failures pass by themselves. Of OpenSSL's words curl is asked,
whose sentence git repeats after "unable to access".
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cw.settings import Settings
from tests.standins.github import GitHubStandIn
from tests.standins.github.tunnels import TROUBLES
from tests.waiting import wait_until
from workerhost.walls.reach import opened, reach
from workerhost.walls.seen import Notes, notes

DATA = Path(__file__).with_name("git_words.json")
REPO = "acme/app"
STATUSES = (401, 403, 404, 429, 500, 502, 503, 504)
_HOOKS = {
    "rule": "GH013: Repository rule violations found for refs/heads/new.",
    "large": "error: GH001: Large files detected. See https://git-lfs.github.com.",
}


@dataclass(frozen=True)
class World:
    """A repository at the stand-in, a clone with a commit that it lacks, and a door on the way."""

    hub: GitHubStandIn
    clone: Path
    proxy: str
    kept: Notes
    env: dict[str, str]

    @property
    def url(self) -> str:
        return f"{self.hub.state.web_url}/{REPO}.git"

    def git(self, *args: str) -> subprocess.CompletedProcess[str]:
        return run(("git", *args), self.clone, self.env)

    def push(self, *refs: str) -> subprocess.CompletedProcess[str]:
        return self.git("push", "--porcelain", self.url, *(refs or ("HEAD:refs/heads/new",)))


Step = Callable[[World], "subprocess.CompletedProcess[str]"]


def run(argv: tuple[str, ...], at: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=at, env=env, capture_output=True, text=True, check=False, timeout=60
    )


def status(number: int) -> Step:
    def step(world: World) -> subprocess.CompletedProcess[str]:
        world.hub.fault(path_regex="/info/refs$", status=number, times=None, body=b"No.\n")
        return world.git("ls-remote", world.url)

    return step


def dropped(path: str) -> Step:
    def step(world: World) -> subprocess.CompletedProcess[str]:
        world.hub.fault(path_regex=path, drop=True, times=None)
        return world.git("clone", "-q", world.url, "copy")

    return step


def elsewhere(place: str) -> Step:
    def step(world: World) -> subprocess.CompletedProcess[str]:
        scheme = world.hub.state.web_url.partition(":")[0]
        return world.git("ls-remote", f"{scheme}://{place}/acme/app.git")

    return step


def trouble(kind: Any, *args: str) -> Step:
    def step(world: World) -> subprocess.CompletedProcess[str]:
        world.hub.trouble(kind, None)
        return world.git(*(args or ("ls-remote",)), world.url)

    return step


def hook(said: str) -> Step:
    def step(world: World) -> subprocess.CompletedProcess[str]:
        path = world.hub.state.repos[REPO].path / "hooks" / "pre-receive"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho '{said}' >&2; exit 1\n", "utf-8")
        path.chmod(0o755)
        return world.push()

    return step


def taken(world: World) -> subprocess.CompletedProcess[str]:
    """A branch below the name of a branch."""
    assert world.push("HEAD:refs/heads/new/part").returncode == 0
    return world.push()


def overwritten(world: World) -> subprocess.CompletedProcess[str]:
    assert world.push().returncode == 0
    world.git("commit", "-q", "--allow-empty", "--amend", "-m", "Another")
    return world.push()


def leased(world: World) -> subprocess.CompletedProcess[str]:
    assert world.push().returncode == 0
    return world.push("--force-with-lease=refs/heads/new:", "HEAD~1:refs/heads/new")


def archived(world: World) -> subprocess.CompletedProcess[str]:
    world.hub.state.repos[REPO].archived = True
    return world.push()


def unknown(world: World) -> subprocess.CompletedProcess[str]:
    return world.git("ls-remote", f"{world.hub.state.web_url}/acme/nothing.git")


BOTH: dict[str, Step] = {
    **{f"status {one}": status(one) for one in STATUSES},
    "no answer": dropped("/info/refs$"),
    "no answer to the request for a pack": dropped("/git-upload-pack$"),
    "host not allowed": elsewhere("elsewhere.invalid"),
    "no such host": elsewhere("gone.allowed.invalid"),
    "nobody answers": elsewhere("127.0.0.1:9"),
    "no such repository": unknown,
    "archived": archived,
    "ref below a ref": taken,
    "not a fast-forward": overwritten,
    "stale lease": leased,
    **{f"hook: {name}": hook(said) for name, said in _HOOKS.items()},
}
HTTPS: dict[str, Step] = {
    **{f"tunnel: {one}": trouble(one) for one in TROUBLES},
    "tunnel: cut, in a push": trouble("cut", "push", "--porcelain", "--mirror"),
}


def made() -> dict[str, Any]:
    """The table of this machine's git."""
    found: dict[str, Any] = {"http": {}, "https": {}, "openssl": {}}
    for scheme, steps in (("http", BOTH), ("https", BOTH | HTTPS)):
        for name, step in steps.items():
            with world(https=scheme == "https") as here:
                found[scheme][name] = _row(here, step(here))
    for name in TROUBLES:
        with world(https=True) as here:
            here.hub.trouble(name, None)
            found["openssl"][f"tunnel: {name}"] = _curl(here)
    return found


@contextmanager
def world(*, https: bool) -> Iterator[World]:
    root = Path(tempfile.mkdtemp(prefix="cwg-"))
    try:
        with GitHubStandIn(root / "hub", https=https) as hub, notes() as kept:
            hub.add_repo(REPO, files={"README.md": "# App\n" * 100})
            hub.add_user("bot", "bot-token", {REPO: "write"})
            settings = Settings(
                github_url=hub.state.web_url,
                github_api_url="http://127.0.0.1:9",
                allowed_domains=("*.allowed.invalid",),
            )
            outside = {"https_proxy": hub.url, "no_proxy": "127.0.0.1,allowed.invalid"}
            with (
                opened(root / "door", reach(settings, outside), notes=kept) as door,
                _port(door, root) as proxy,
            ):
                yield _furnished(root, hub, proxy, kept)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _furnished(root: Path, hub: GitHubStandIn, proxy: str, kept: Notes) -> World:
    env = hub.env("bot-token", root / "gh") | hub.trust()
    env |= {name: proxy for name in env if name.lower() in {"http_proxy", "https_proxy"}}
    for name in (
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
    ):
        env[name] = "bot"
    env |= {"PATH": os.environ["PATH"], "HOME": str(root), "LC_ALL": "C"}
    path = hub.state.repos[REPO].path
    plain = env | {"GIT_CONFIG_COUNT": "0"}
    assert run(("git", "clone", "-q", str(path), "clone"), root, plain).returncode == 0
    found = World(hub, root / "clone", proxy, kept, env)
    found.git("commit", "-q", "--allow-empty", "-m", "Second")
    return found


@contextmanager
def _port(door: Path, root: Path) -> Iterator[str]:
    """The door as a port, as it is behind the wall."""
    log = root / "socat.log"
    with log.open("wb") as said:
        listening = ["-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1,fork,reuseaddr"]
        child = subprocess.Popen(["socat", *listening, f"UNIX-CONNECT:{door}"], stderr=said)
    try:
        found = wait_until(lambda: re.findall(r"listening on .*:([0-9]+)", log.read_text()))
        yield f"http://127.0.0.1:{found[0]}"
    finally:
        child.kill()
        child.wait()


def _row(here: World, done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return {
        "status": done.returncode,
        "stderr": [_plain(here, one) for one in done.stderr.splitlines() if one.strip()],
        "porcelain": [_plain(here, one) for one in done.stdout.splitlines() if one[:1] == "!"],
        "seen": sorted({(one.place, one.what, one.detail) for one in here.kept.read()}),
    }


def _curl(here: World) -> list[str]:
    url = f"{here.url}/info/refs?service=git-upload-pack"
    done = run(("curl", "-sS", "-o", os.devnull, url), here.clone, here.env)
    said = re.sub(r"^curl: \(\d+\) ", "", done.stderr.splitlines()[0] if done.stderr else "")
    return [f"fatal: unable to access '{here.url}/': {_plain(here, said)}"]


def _plain(here: World, text: str) -> str:
    """Without what differs from run to run."""
    text = text.replace(str(here.clone.parent), "/ROOT").replace(here.proxy, "http://PROXY")
    text = re.sub(r"\b[0-9a-f]{40}\b", "SHA", text)
    text = re.sub(r"\b[0-9a-f]{7,10}\.\.", "SHA..", text)
    text = re.sub(r" after \d+ ms", " after N ms", text)
    text = re.sub(r":[0-9a-f]{8}:", ":CODE:", text)
    return re.sub(r"127\.0\.0\.1 port \d{4,}|127\.0\.0\.1:\d{4,}", "127.0.0.1:PORT", text).strip()


def kind() -> str:
    """Of git and what it speaks TLS with."""
    version = run(("git", "--version"), Path("/"), dict(os.environ)).stdout.split()[2]
    where = run(("git", "--exec-path"), Path("/"), dict(os.environ)).stdout.strip()
    linked = run(("ldd", f"{where}/git-remote-https"), Path("/"), dict(os.environ)).stdout
    return f"git {version}, {'GnuTLS' if 'gnutls' in linked else 'OpenSSL'}"


def stored() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DATA.read_text("utf-8")) if DATA.exists() else {}
    return found


def main() -> None:
    found = json.loads(json.dumps(made()))
    DATA.write_text(json.dumps(stored() | {kind(): found}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
