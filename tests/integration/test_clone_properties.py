"""Clones gone wrong in any way, and remotes that moved meanwhile: the next task succeeds, or ends
with a true reason; nothing outside the clone changes; no uncommitted work is lost.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cw.errors import UnavailableError, WorkspaceError
from cw.homes.owner import give_tree
from tests.integration.cloning import REPO, Worker, commit, run
from tests.integration.spoiling import HEALED, SET_ASIDE, Spoil
from tests.standins.github import GitHubStandIn
from workerhost.clones import preparing

_SECONDS = float(os.environ.get("CW_PROPERTY_SECONDS", "20"))
_NUMBERS = count(100, 2)
_SPOILS = HEALED | SET_ASIDE
_VALUES = ("true", "false", "", "0", "-1", "/nonexistent", "never", "*", "!false", "\N{BLACK STAR}")
_PLACES = ("", "objects", "refs", "refs/heads", "info", "logs", "index", "HEAD", "config")


def _keys() -> list[str]:
    told = subprocess.run(["git", "help", "--config"], capture_output=True, text=True, check=True)
    return sorted(one for one in told.stdout.split() if one.count(".") and one.isascii())


def _configured(key: str, value: str) -> Spoil:
    def spoil(clone: Path) -> None:
        name = key.replace("<", "").replace(">", "").replace("*", "x")
        run(clone, "config", "--file", str(clone / ".git" / "config"), "--add", name, value)

    return spoil


def _moded(place: str, mode: int) -> Spoil:
    return lambda clone: (clone / ".git" / place).chmod(mode)


def _linked(name: str, target: str) -> Spoil:
    def spoil(clone: Path) -> None:
        (clone / name).unlink(missing_ok=True)
        (clone / name).symlink_to(target)

    return spoil


def _ref(name: str, text: str) -> Spoil:
    def spoil(clone: Path) -> None:
        path = clone / ".git" / "refs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    return spoil


def _locked(name: str) -> Spoil:
    return lambda clone: (clone / ".git" / name).touch()


ANY: st.SearchStrategy[tuple[str, Spoil]] = st.one_of(
    st.sampled_from(sorted(_SPOILS)).map(lambda name: (name, _SPOILS[name])),
    st.tuples(st.sampled_from(_keys()), st.sampled_from(_VALUES)).map(
        lambda pair: (f"{pair[0]}={pair[1]}", _configured(*pair))
    ),
    st.tuples(st.sampled_from(_PLACES), st.sampled_from((0, 0o400, 0o500, 0o700))).map(
        lambda pair: (f"chmod {pair[1]:o} .git/{pair[0]}", _moded(*pair))
    ),
    st.tuples(
        st.sampled_from(("link", "README.md", "deep/er", ".git/info/exclude", ".gitmodules")),
        st.sampled_from(("/", "/etc/passwd", "..", "../../..", "link", ".git/config", "/dev/zero")),
    ).map(lambda pair: (f"{pair[0]} -> {pair[1]}", _linked(*pair))),
    st.tuples(
        st.sampled_from(("heads/x", "heads/main", "remotes/origin/x", "tags/v", "stash", "x/y")),
        st.sampled_from(("", "nonsense\n", "0" * 40 + "\n", "ref: refs/heads/none\n", "f" * 40)),
    ).map(lambda pair: (f"{pair[0]}: {pair[1]!r}", _ref(*pair))),
    st.sampled_from(("index.lock", "refs/heads/main.lock", "gc.pid", "shallow.lock")).map(
        lambda name: (name, _locked(name))
    ),
)

REMOTES: dict[str, Callable[[GitHubStandIn, int], object]] = {
    "the same": lambda _, __: None,
    "moved": lambda hub, n: hub.add_commit(REPO, "main", {f"moved-{n}": "x"}),
    "has the branch": lambda hub, n: hub.add_commit(REPO, f"issue-{n}", {f"theirs-{n}": "x"}),
    "has one below": lambda hub, n: hub.add_commit(REPO, f"issue-{n}/part", {"x": "x"}),
    "is away once": lambda hub, _: hub.fault(path_regex="info/refs", status=503, times=1),
    "hangs up once": lambda hub, _: hub.fault(path_regex="/git-upload-pack$", drop=True, times=1),
}


@settings(max_examples=10_000, database=None, suppress_health_check=list(HealthCheck))
@given(spoils=st.lists(ANY, min_size=1, max_size=4), remote=st.sampled_from(sorted(REMOTES)))
def _property(
    tmp_path: Path,
    hub: GitHubStandIn,
    until: float,
    spoils: list[tuple[str, Spoil]],
    remote: str,
) -> None:
    if time.monotonic() > until:
        return
    number = next(_NUMBERS)
    worker = Worker.make(tmp_path / str(number), hub)
    first, second = worker.spec(issue=number), worker.spec(issue=number + 1)
    clone = preparing.prepare(worker.git(first), first, resume=False).clone
    commit(clone, f"of-{number}.txt")
    for _, spoil in spoils:
        try:
            spoil(clone)
        except (subprocess.CalledProcessError, OSError):
            continue  # what was broken before it keeps it from breaking more
    rights = clone.stat().st_mode
    clone.chmod(0o700)  # it was there before they were gone
    (clone / "draft-of-it").write_text(f"draft {number}", "utf-8")
    clone.chmod(rights)
    give_tree(clone)
    REMOTES[remote](hub, number + 1)
    before = outside(worker, tmp_path)

    ended = None
    for _ in range(2):  # what passes has passed by then
        try:
            ended = preparing.prepare(worker.git(second), second, resume=False)
            break
        except UnavailableError as error:
            if "once" not in remote:
                raise AssertionError(f"{[name for name, _ in spoils]}: {error}") from error
        except WorkspaceError as error:
            raise AssertionError(f"{[name for name, _ in spoils]}: {error}") from error

    assert outside(worker, tmp_path) == before
    assert ended
    assert run(ended.clone, "status", "--porcelain") == ""
    assert run(ended.clone, "symbolic-ref", "--short", "HEAD") == f"issue-{number + 1}"
    assert f"draft {number}" in kept(worker, ended.clone), [name for name, _ in spoils]


def kept(worker: Worker, clone: Path) -> set[str]:
    """What all refs of the clone, and what was set aside, have of the draft."""
    aside = worker.home.path / "set-aside"
    files = aside.glob("*/draft-of-it") if aside.exists() else ()
    found = {one.read_text("utf-8") for one in files}
    for ref in run(clone, "for-each-ref", "--format=%(refname)", "refs/cw/wip").splitlines():
        if run(clone, "ls-tree", ref, "draft-of-it"):
            found.add(run(clone, "show", f"{ref}:draft-of-it"))
    return found


def outside(worker: Worker, top: Path) -> dict[str, str]:
    """All files of this example but those of the clones, and of the host's own folders."""
    own = {worker.home.clones, worker.home.tmp, worker.home.run, worker.home.path / "set-aside"}
    own |= {worker.settings.state_dir, top / "hub"}
    found = {}
    for folder, names, files in os.walk(top):
        names[:] = [one for one in names if Path(folder, one) not in own]
        for path in (Path(folder, one) for one in files):
            status = path.lstat()
            text = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found[str(path)] = f"{status.st_mode:o} {hashlib.sha256(text).hexdigest()}"
    return found


def test_next_task_begins_whatever_an_agent_left(hub: GitHubStandIn, tmp_path: Path) -> None:
    _property(tmp_path, hub, time.monotonic() + _SECONDS)
