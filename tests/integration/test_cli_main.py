"""The entry point: quick, one line for every trouble, never a traceback."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from cw.cli.main import COMMANDS, group

Cw = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = str(Path(sys.executable).with_name("cw"))


def test_help_loads_no_command_and_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['cw', '--help']\n"
        "from cw.cli.main import main\n"
        "code = main()\n"
        "heavy = {'redis', 'celery', 'kombu', 'pydantic', 'rich', 'github', 'tomllib', 'dotenv'}\n"
        "heavy |= {'tomlkit'}\n"
        "found = heavy & set(sys.modules)\n"
        "found |= {name for name in sys.modules if name.startswith('cw.cli.commands')}\n"
        "print('LOADED', sorted(found), code)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "LOADED [] 0"
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_has_help(name: str) -> None:
    command = group.get_command(click.Context(group), name)

    assert command is not None
    assert command.name in {name, "command"}
    assert (command.help or "").strip()


def test_without_arguments_shows_help(cw: Cw) -> None:
    done = cw()

    assert done.returncode == 0
    assert done.stdout.startswith("Usage: cw")
    assert done.stderr == ""


def test_version(cw: Cw) -> None:
    assert cw("--version").stdout.startswith("cw 0.")


def test_words_of_other_programs_do_what_people_mean(cw: Cw) -> None:
    assert cw("help").stdout == cw("--help").stdout
    assert cw("help", "dispatch").stdout == cw("dispatch", "--help").stdout
    assert cw("version").stdout == cw("--version").stdout
    for word in ("ls", "list", "ps"):
        assert cw(word, "--help").stdout == cw("status", "--help").stdout
        assert cw(word).stderr == cw("status").stderr
    wrong = cw("help", "dispach")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert (
        wrong.stderr
        == "cw: there is no command 'dispach'. Did you mean: cw dispatch. See: cw --help\n"
    )


def test_unknown_command_suggests_the_nearest(cw: Cw) -> None:
    done = cw("dispach", "-r", "x")

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "cw: there is no command 'dispach'. Did you mean: cw dispatch. See: cw --help\n"
    )


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("dispatch",), "'--repo'"),
        (("dispatch", "--nope"), "--nope"),
        (("status", "01", "02"), "02"),
        (("history", "--limit", "0"), "--limit"),
        (("init",), "ID"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(cw: Cw, args: tuple[str, ...], says: str) -> None:
    done = cw(*args)

    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr
    assert done.stderr.startswith("cw: ")
    assert done.stderr.endswith(f"See: cw {args[0]} --help\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    ["[host]\nworkers_root = ", "nonsense = 1", "lease.ttl = 'x'", "\xff", "max_attempts = -1"],
)
def test_broken_configuration_is_one_line_and_help_still_works(
    cw: Cw, cw_environ: dict[str, str], text: str
) -> None:
    Path(cw_environ["CW_CONFIG"]).write_bytes(text.encode("latin-1"))

    done = cw("config")

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("cw: ")
    assert cw("status", "--help").returncode == 0


@pytest.fixture
def broken(cw_environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment in which a library does what nobody expects."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "redis.py").write_text("raise RuntimeError('a secret')\n", "utf-8")
    there = {"CW_BROKER_URL": "redis://127.0.0.1:1", "PYTHONPATH": str(tmp_path / "broken")}
    return cw_environ | there


def started(environ: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """In a process of its own, as nothing is loaded yet."""
    program = [str(Path(sys.executable).with_name("cw")), *words]
    return subprocess.run(program, env=environ, capture_output=True, text=True, check=False)


def test_unexpected_error_keeps_its_traceback_in_a_private_file(broken: dict[str, str]) -> None:
    done = started(broken, "status", "--json")

    kept = list((Path(broken["CW_STATE_DIR"]) / "logs").glob("error-*.log"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"cw: unexpected RuntimeError; the details are in {kept[0]}\n"
    assert "Traceback" in kept[0].read_text("utf-8")
    assert kept[0].stat().st_mode & 0o777 == 0o600


def test_unexpected_error_without_a_place_for_it_is_still_one_line(broken: dict[str, str]) -> None:
    key = Path(broken["CW_STATE_DIR"]).with_name("key")
    key.touch(mode=0o600)
    key.write_text("k" * 40 + "\n", "utf-8")
    Path(broken["CW_STATE_DIR"]).write_text("in the way", "utf-8")

    done = started(broken | {"CW_SIGNING_KEY_FILE": str(key)}, "status")

    assert done.returncode == 1
    assert done.stderr == (
        "cw: unexpected RuntimeError; the details could not be written to CW_STATE_DIR\n"
    )


@pytest.mark.parametrize("url", ["nonsense://:secret@x", "redis://:secret@x:port", "[", "x"])
def test_address_that_is_none_is_bad_input_and_not_shown(cw: Cw, url: str) -> None:
    done = cw("status", CW_BROKER_URL=url)

    assert done.returncode == 2
    assert done.stderr.startswith("cw: CW_BROKER_URL")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_reader_that_leaves_gets_no_complaint(cw_environ: dict[str, str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as out:
        done = subprocess.run(
            [COMMAND, "config", "--json"],
            stdout=out,
            stderr=subprocess.PIPE,
            env=cw_environ,
            check=False,
        )

    assert done.stderr == b""
    assert done.returncode == 141


def test_closed_standard_streams_are_survived(cw_environ: dict[str, str]) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{COMMAND}" --help <&- >&-'],
        capture_output=True,
        env=cw_environ,
        check=False,
    )

    assert done.stderr == b""
    assert done.returncode == 0


def test_plain_terminals_get_question_marks_not_errors(cw: Cw) -> None:
    done = cw("dispatch", "--help", PYTHONIOENCODING="ascii", LANG="C", LC_ALL="C")

    assert done.returncode == 0


@pytest.mark.parametrize(
    "command", [("status",), ("up", "-d"), ("dispatch", "-r", "a/b", "-p", "x")]
)
def test_nothing_starts_with_an_exposed_broker(
    cw: Cw, command: tuple[str, ...], tmp_path: Path
) -> None:
    done = cw(*command, CW_BROKER_URL="redis://:hunter2@broker.example", GH_TOKEN="t")

    assert done.returncode == 2
    assert "TLS is missing" in done.stderr
    assert "hunter2" not in done.stderr
    assert not (tmp_path / "state").exists()
