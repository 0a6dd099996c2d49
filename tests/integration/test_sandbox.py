"""Behind the wall: HOME and the system, and nothing else of the machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cw.homes.home import make_home, templates_dir
from cw.homes.layout import Home
from cw.homes.refreshing import refresh_git, refresh_rules, refresh_tokens
from cw.settings import Settings
from tests.needs import need, require
from tests.waiting import wait_until
from tests.walls import USER, WALLS, outer_wall, owned
from workerhost.walls.isolation import Wall
from workerhost.walls.sandbox import View, readable_paths, wrap
from workerhost.walls.startup_files import own_startup_files

STRICT = outer_wall()  # bubblewrap where it works; else these tests are skipped


@pytest.fixture
def home(tmp_path: Path) -> Home:
    require(WALLS, "a bwrap that works")
    for worker in ("02", "01"):
        home = make_home(
            tmp_path / "workers", worker, {"GH_TOKEN": f"of-{worker}"}, templates_dir()
        )
    home.run.joinpath("task.json").write_text("{}", "utf-8")
    return owned(home)


def inside(
    home: Home,
    script: str,
    *,
    env: dict[str, str] | None = None,
    readable: tuple[Path, ...] = (),
    writable: tuple[Path, ...] = (),
    emptied: tuple[Path, ...] = (),
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        wrap(
            ["/bin/sh", "-c", script],
            STRICT,
            home,
            View(readable=readable, writable=writable, emptied=emptied),
        ),
        env={"PATH": "/usr/bin:/bin", "HOME": str(home.path)} if env is None else env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_folder_of_a_program_is_empty_but_for_what_it_keeps(home: Home) -> None:
    own = home.path / ".plain"
    (own / "memory").mkdir(parents=True)
    (own / "memory" / "kept").touch()
    (own / "left").touch()
    owned(home)

    done = inside(home, "ls ~/.plain/*", writable=(own / "memory",), emptied=(own,))

    assert done.stdout.split() == ["kept"]


def test_home_is_the_workers_own_and_writable(home: Home) -> None:
    done = inside(home, "echo hello > $HOME/github/new && pwd")

    assert done.stdout.strip() == str(home.path)
    assert (home.clones / "new").read_text("utf-8") == "hello\n"


@pytest.mark.parametrize(
    "place",
    [
        "run/task.json",
        "run/new",
        "completed/new",
        ".cw.json",
        ".zshenv",
        ".claude/settings.json",
        ".claude/CLAUDE.md",
        ".claude/skills/new",
    ],
)
def test_files_of_the_host_in_home_cannot_be_changed(home: Home, place: str) -> None:
    path = home.path / place
    before = path.read_bytes() if path.exists() else None

    done = inside(home, f"echo x > {path}; rm -rf {path}; mv {path.parent} {path.parent}_x")

    assert done.returncode != 0 or place.startswith(".claude/")
    assert (path.read_bytes() if path.exists() else None) == before


def test_what_is_written_beside_them_into_claudes_folder_ends_with_the_process(home: Home) -> None:
    (home.claude / "settings.local.json").write_text("old")
    before = sorted(home.claude.rglob("*"))

    done = inside(home, "cat .claude/settings.local.json; mkdir .claude/new && echo x >.claude/y")

    assert (done.returncode, done.stdout) == (0, "")
    assert sorted(home.claude.rglob("*")) == before


def test_other_homes_are_not_there(home: Home) -> None:
    other = home.path.parent / "02" / ".zshenv"
    assert other.exists()

    done = inside(home, f"ls {home.path.parent}; cat {other}; echo x > {other}")

    assert done.stdout.split() == ["01"]
    assert "No such file" in done.stderr
    assert "of-02" in other.read_text("utf-8")


@pytest.fixture
def outside() -> Iterator[Path]:
    """A file in the machine's /tmp."""
    with tempfile.NamedTemporaryFile(dir="/tmp", prefix="cw-outside-") as file:
        file.write(b"outside")
        file.flush()
        yield Path(file.name)


def test_tmp_is_empty_and_its_own(home: Home, outside: Path) -> None:
    done = inside(home, f"cat {outside}; echo x > /tmp/cw-made-inside && echo made")

    assert done.stdout == "made\n"
    assert "No such file" in done.stderr
    assert not Path("/tmp/cw-made-inside").exists()


def test_link_out_of_home_leads_nowhere(home: Home, outside: Path) -> None:
    (home.path / "link").symlink_to(outside)

    done = inside(home, "cat link; echo x > link")

    assert done.stdout == ""
    assert outside.read_text("utf-8") == "outside"


@pytest.mark.parametrize("name", [".ssh", ".gitconfig", ".claude/settings.json", ".claude"])
def test_link_in_place_of_a_file_of_the_host_is_not_followed(
    home: Home, outside: Path, name: str
) -> None:
    """An agent may leave one where the host would bind something in the next run."""
    link = home.path / name
    if link.is_dir():
        shutil.rmtree(link)
    link.unlink(missing_ok=True)
    link.symlink_to(outside)

    done = inside(home, f"echo begun; cat {link}; echo x > {link}")

    assert done.stdout == "begun\n"
    assert outside.read_text("utf-8") == "outside"


def test_brokers_socket_is_not_reachable(home: Home) -> None:
    folder = Path(tempfile.mkdtemp(prefix="cwb-"))
    path = folder / "broker" / "s"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        connect = f"import socket; socket.socket(socket.AF_UNIX).connect({str(path)!r})"

        done = inside(home, f'{need("python3")} -c "{connect}"; ls {folder}')
    path.unlink()
    path.parent.rmdir()
    folder.rmdir()

    assert done.returncode != 0
    assert "No such file" in done.stderr


def test_system_is_readable_and_not_writable(home: Home) -> None:
    done = inside(
        home, "test -r /etc/passwd && ls /usr/bin >/dev/null && git --version; touch /usr/x"
    )

    assert "git version" in done.stdout
    assert "Read-only" in done.stderr
    assert not Path("/usr/x").exists()


def test_of_etc_an_agent_sees_what_everybody_may_read(home: Home) -> None:
    everything = [one for one in Path("/etc").rglob("*") if not one.is_symlink()]
    closed = {one for one in everything if one.is_dir() and one.stat().st_mode & 0o005 != 0o005}
    files = {one for one in everything if one.is_file() and one.stat().st_mode & 0o004}

    done = inside(
        home,
        "find /etc -type f -readable 2>/dev/null; touch /etc/passwd; touch /etc/cw-canary",
        readable=(Path("/etc"), Path("/etc/ssl")),
    )

    open_ = {str(one) for one in files if not closed.intersection(one.parents)}
    assert "/etc/passwd" in open_
    if USER:  # others have groups that may read more
        assert set(done.stdout.splitlines()) == open_
    assert len(done.stderr.splitlines()) == 2, done.stderr
    assert "cw-canary': Read-only file system" in done.stderr
    assert not Path("/etc/cw-canary").exists()


def test_processes_of_the_machine_are_not_seen(home: Home) -> None:
    done = inside(home, f"kill -0 {os.getpid()} && echo reached; ls /proc | grep -c '^[0-9]'")

    assert "reached" not in done.stdout
    assert int(done.stdout) < 8


def test_environment_is_exactly_as_given(home: Home) -> None:
    env = {"PATH": "/usr/bin:/bin", "ONE": "1\n2", "HOME": str(home.path)}

    done = inside(home, "env -0", env=env)

    seen = dict(one.split("=", 1) for one in done.stdout.split("\0") if one)
    assert {name: value for name, value in seen.items() if name not in {"PWD", "_"}} == env


def test_wall_itself_is_not_found_through_the_workers_path(home: Home) -> None:
    fake = home.path / "bin"
    fake.mkdir()
    (fake / "bwrap").write_text("#!/bin/sh\necho escaped\n", "utf-8")
    (fake / "bwrap").chmod(0o755)

    done = inside(home, "echo walled", env={"PATH": f"{fake}:/usr/bin:/bin"})

    assert done.stdout == "walled\n"


def test_only_what_was_named_is_readable_besides(home: Home, tmp_path: Path) -> None:
    shown, hidden = tmp_path / "shown", tmp_path / "hidden"
    for folder in (shown, hidden):
        folder.mkdir()
        (folder / "file").write_text(folder.name, "utf-8")

    done = inside(home, f"cat {shown}/file {hidden}/file; touch {shown}/new", readable=(shown,))

    assert done.stdout == "shown"
    assert sorted(one.name for one in shown.iterdir()) == ["file"]


def test_of_a_repository_on_this_machine_only_the_git_folder_is_shown(
    home: Home, git_repo: Path
) -> None:
    (git_repo / "draft.txt").write_text("not committed", "utf-8")
    readable = readable_paths(Settings(), None, str(git_repo))

    git = f"git -c safe.directory={git_repo} -C {git_repo}"  # as agents' environment has it
    done = inside(home, f"ls -A {git_repo}; {git} log --format=%s", readable=readable)

    assert readable == (git_repo / ".git",)
    assert done.stdout.split() == [".git", "First"]


def test_of_a_worktree_the_common_folder_and_the_way_to_it_are_shown(
    git_repo: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    subprocess.run(
        ["git", "-C", str(git_repo), "worktree", "add", "-q", str(tree)],
        check=True,
        capture_output=True,
    )

    assert readable_paths(Settings(), None, str(tree)) == (tree / ".git", git_repo / ".git")


def test_without_the_wall_nothing_is_changed(home: Home) -> None:
    assert wrap(["x"], wall=Wall("none", user=USER), home=home)[-1:] == ["x"]


def test_refresh_while_an_agent_runs_opens_none_of_its_files(home: Home, tmp_path: Path) -> None:
    """What is bound by itself is open as soon as somebody puts another file in its place."""
    operator = tmp_path / "operator"
    operator.mkdir()
    (operator / ".gitconfig").write_text("[user]\n\tname = New\n", "utf-8")
    own_startup_files(home)
    ready, go = home.tmp / "ready", home.tmp / "go"
    script = (
        f"touch {ready}; until [ -e {go} ]; do sleep 0.05; done; cat ~/.zshenv;"
        " for one in .zshenv .gitconfig .cw.json .claude/CLAUDE.md; do echo evil >>~/$one; done"
    )
    argv = wrap(["/bin/sh", "-c", script], wall=STRICT, home=home)
    env = {"PATH": "/usr/bin:/bin", "HOME": str(home.path)}
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            wait_until(ready.exists, what="the agent")
            refresh_tokens(home, templates_dir(), {"GH_TOKEN": "new-token"})
            refresh_git(home, operator)
            refresh_rules(home, templates_dir())
            go.touch()
            said = process.communicate(timeout=30)[0]
        finally:
            process.kill()

    assert "new-token" in home.zshenv.read_text("utf-8")
    assert "New" in (home.path / ".gitconfig").read_text("utf-8")
    assert said == ""
    for name in (".zshenv", ".gitconfig", ".cw.json", ".claude/CLAUDE.md"):
        assert "evil" not in (home.path / name).read_text("utf-8")
